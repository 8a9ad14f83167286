"""Incoming webhooks: raw body, signature first, then one intent."""

from __future__ import annotations

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.bookings.lifecycle import inbox
from backend.core.errors import Refused
from backend.payments.adapters import gateway_named


class PaymentWebhook(APIView):
    """POST by the gateway, any number of times and in any order. 2xx: recorded, do not send again."""

    def post(self, request: Request, gateway_name: str) -> Response:
        try:
            adapter = gateway_named(gateway_name)
        except Refused as refused:
            raise Http404 from refused
        # the signature covers the bytes as they came, so nothing may parse them before
        event = adapter.read_event(request._request.body, request.headers)
        outcome = inbox.receive_event(gateway_name, event, now=timezone.now())
        return Response({"message": "Recorded.", "outcome": outcome})
