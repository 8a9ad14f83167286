"""What the site's server sends of its contact and corporate forms."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from backend.api.public import doors
from backend.api.repeats import Door


class SendEmail(Door):
    """POST: keep an enquiry. Where it goes is ours to say, so `to` is ignored, and `html` repeats `text`."""

    def post(self, request: Request) -> Response:
        doors.receive_enquiry(request, request.data, now=timezone.now())
        return Response({"message": gettext("We have received your message and will write to you.")}, status=202)
