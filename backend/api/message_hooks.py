"""What services of channels report, and what people write back: genuine first, then one intent for each event."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.errors import json_answer
from backend.bookings.lifecycle.deliveries import record_text
from backend.bookings.lifecycle.reminder_choice import stop_texts
from backend.channels import adapters
from backend.channels.channel import Challenged, Channel, ChannelReport, StopRequest
from backend.channels.names import ChannelName


class MessageWebhook(APIView):
    """POST by the service of a channel, any number of times and in any order.

    2xx also for what is about no message of ours, or cannot be read: sent again, it would say the same. 400 for what
    the service did not sign. GET is Meta's question whether the address is ours.
    """

    def get(self, request: Request, channel: str) -> HttpResponseBase:
        """Refuses: signature_invalid, to whoever does not know what we made up."""
        service = _configured(channel)
        if not isinstance(service, Challenged):
            raise Http404
        said = service.challenge(request._request.GET.dict())
        return HttpResponse(said, content_type="text/plain")  # Meta compares it as it is

    def post(self, request: Request, channel: str) -> HttpResponseBase:
        service, raw = _configured(channel), request._request
        if len(raw.body) > settings.MAX_BODY_BYTES:  # in chunks, which announce no length
            return json_answer(413, raw)
        now = timezone.now()
        said = service.read(raw.body, raw.headers, now=now)
        recorded = [_record(ChannelName(channel), one, now=now) for one in said]
        return Response({"message": "Recorded.", "recorded": sum(recorded)})


def _configured(channel: str) -> Channel:
    """Raises Http404."""
    try:
        return adapters.channel(ChannelName(channel))
    except (ValueError, LookupError) as error:
        raise Http404 from error


def _record(channel: ChannelName, said: ChannelReport | StopRequest, *, now: datetime) -> bool:
    """False: nothing of ours, or nothing new."""
    if isinstance(said, StopRequest):
        return stop_texts(said.phone, now=now)
    return record_text(channel, said, now=now)
