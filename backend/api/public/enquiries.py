"""What the site's server sends of its contact and corporate forms."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import throttle
from backend.api.public.requests import EnquiryRequest, parse_request
from backend.bookings.lifecycle import enquiries


class SendEmail(APIView):
    """POST: keep an enquiry. Where it goes is ours to say, so `to` is ignored, and `html` repeats `text`."""

    def post(self, request: Request) -> Response:
        body = parse_request(EnquiryRequest, request.data).validated_data
        now = timezone.now()
        throttle.limit_enquiries(request, now=now)
        enquiries.receive_enquiry(body["subject"] or "No subject", body["text"], now=now)
        return Response({"message": "We have received your message and will write to you."}, status=202)
