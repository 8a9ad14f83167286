"""Reports of a mail provider: genuine first, then one intent for each event. No network."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import bounds
from backend.api.delivery_events import logs_in, read_reports
from backend.api.errors import json_answer
from backend.api.hooks import BODY_MOST
from backend.bookings.lifecycle.deliveries import record_delivery


class MailWebhook(APIView):
    """POST by the provider that sends our mails, any number of times and in any order.

    2xx also for what is about no mail of ours, or cannot be read: sent again, it would say the same. 400 for what the
    provider did not sign. 401 while it has not logged in: one of them waits to be asked.
    """

    def post(self, request: Request, provider: str) -> HttpResponseBase:
        if provider != settings.EMAIL_PROVIDER or not settings.EMAIL_WEBHOOK_SECRET:
            raise Http404
        raw = request._request
        if bounds.body_length(request.META) > BODY_MOST or len(raw.body) > BODY_MOST:
            return json_answer(413, raw)
        if logs_in() and "Authorization" not in raw.headers:
            return json_answer(401, raw, headers={"WWW-Authenticate": 'Basic realm="mail"'})
        now = timezone.now()
        recorded = [record_delivery(report, now=now) for report in read_reports(provider, raw, now=now)]
        return Response({"message": "Recorded.", "recorded": sum(recorded)})
