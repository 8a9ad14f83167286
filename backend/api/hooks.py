"""Incoming webhooks: raw body, signature first, then one intent."""

from __future__ import annotations

from django.http import Http404, HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import bounds
from backend.api.errors import json_answer
from backend.bookings.lifecycle import inbox, refused_events
from backend.core.errors import Code, Refused
from backend.payments.adapters import gateway_named

BODY_MOST = 64 * 1024  # bytes; gateways' events have some 5,000


class PaymentWebhook(APIView):
    """POST by the gateway, any number of times and in any order. 2xx: recorded, do not send again.

    400 for a signature that is not ours, and for nothing else: what is refused for a day is not sent any more.
    """

    def post(self, request: Request, gateway_name: str) -> HttpResponseBase:
        try:
            adapter = gateway_named(gateway_name)
        except Refused as refused:
            raise Http404 from refused
        if bounds.body_length(request.META) > BODY_MOST:
            return json_answer(413, request._request)
        # the signature covers the bytes as they came, so nothing may parse them before
        body, now = request._request.body, timezone.now()
        try:
            event = adapter.read_event(body, request.headers)
        except Refused as refused:
            if refused.code is Code.SIGNATURE_INVALID:
                refused_events.note_refused(gateway_name, body, now=now)
            raise
        outcome = inbox.receive_event(gateway_name, event, now=now)
        return Response({"message": "Recorded.", "outcome": outcome})
