"""Cancelling by the visitor: asked for by id, proved by the mailed link, reported to the site's page."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from backend.api.public import doors
from backend.api.public.requests import TokenRequest, parse_request
from backend.api.repeats import Door
from backend.bookings.lifecycle import cancellation
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.errors import Code, Refused


class RequestCancellation(Door):
    """POST: mail the link that cancels. The site reads 2xx as "cancelled", save of a confirmed session."""

    def post(self, request: Request) -> Response:
        booking = doors.ask_to_cancel(request, request.data, now=timezone.now())
        if booking.state != State.CONFIRMED:
            raise Refused(Code.CONFIRM_BY_EMAIL)  # said after the intent's commit: the mail goes
        return Response(
            {"message": gettext("We have sent you an email. Open its link to cancel your session.")}, status=202
        )


class VerifyCancellation(Door):
    """GET: whether this link's booking is cancelled by it; changes nothing. POST: cancel it."""

    def get(self, request: Request) -> Response:
        body = parse_request(TokenRequest, request.query_params)
        return _cancelled(cancellation.cancelled_by(body.validated_data["token"], now=timezone.now()))

    def post(self, request: Request) -> Response:
        body = parse_request(TokenRequest, request.data)
        return _cancelled(cancellation.confirm_cancellation(body.validated_data["token"], now=timezone.now()))


def _cancelled(booking: Booking) -> Response:
    return Response({"message": gettext("Your booking is cancelled."), "status": booking.state})
