"""Behind the booking link, `/verify-email?token=`: its button proves the address, then it shows the booking."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.api import responses
from backend.api.frame import see_other
from backend.api.public import doors
from backend.api.visit import booking_context
from backend.api.visit.page import VisitPage, show
from backend.bookings import queries
from backend.bookings.lifecycle import calendar_choice, cancellation, visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.payment_status import MONEY_CAME, payment_status
from backend.core.errors import Code, Refused
from backend.notifications.rendering import domain

CALENDAR_STEPS = ("calendar", "no-calendar")


class BookingPage(VisitPage):
    """GET shows, or asks to confirm; it changes nothing. Each button does one thing and leads back here."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token, now = request.GET.get("token", ""), timezone.now()
        try:
            booking = queries.by_token(token, now=now)
        except Refused as refused:
            if refused.code is not Code.OPEN_IN_BROWSER:
                raise
            return show(request, "confirm", {"token": token})
        return show(request, "booking", _shown(booking, token, now=now) | {"mailed": request.GET.get("mailed", "")})

    def post(self, request: HttpRequest) -> HttpResponse:
        token, step, now = request.POST.get("token", ""), request.POST.get("step", ""), timezone.now()
        if step == "confirm":
            visitor.verify_email(token, now=now)
            return _back(request, token)
        booking = queries.by_token(token, now=now)
        if step == "cancel":
            doors.ask_to_cancel(request, {"acknowledgement_id": booking.acknowledgement_id}, now=now)
        elif step == "link":
            doors.send_link(request, {"email": booking.email}, now=now)
        elif step in CALENDAR_STEPS:
            calendar_choice.choose_calendar(token, wants_entry=step == "calendar", now=now)
            return _back(request, token)
        return _back(request, token, mailed=step)


def _back(request: HttpRequest, token: str, **more: str) -> HttpResponse:
    return see_other(f"{request.path}?{urlencode({'token': token, **more})}")


def _shown(booking: Booking, token: str, *, now: datetime) -> dict[str, Any]:
    has_receipts = payment_status(booking) in MONEY_CAME
    query = urlencode({"token": token})
    return {
        **booking_context.by_token(booking, token, now=now),
        "token": token,
        "query": query,
        "has_receipts": has_receipts,
        "calendar_entry": booking.calendar_entry,
    }


class CalendarFile(VisitPage):
    """`/visit/calendar/?token=`: a confirmed session as a file, under a title that says nothing about it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token, now = request.GET.get("token", ""), timezone.now()
        booking = queries.by_token(token, now=now)
        if booking.state != State.CONFIRMED or booking.slot_start is None or booking.slot_end is None:
            raise Refused(Code.STATE_REFUSES, state=booking.state)
        from backend.notifications.calendar_invite import Entry, Method, calendar_invite  # a library that few ask for

        place = responses.place(booking, token)
        entry = Entry(
            booking.acknowledgement_id, booking.ledger_sequence, booking.slot_start, booking.slot_end, place=place
        )
        content = calendar_invite(entry, Method.PUBLISH, domain=domain(), stamped_at=now)
        name = 'attachment; filename="appointment.ics"'
        return HttpResponse(content, content_type="text/calendar", headers={"Content-Disposition": name})


class CancelledPage(VisitPage):
    """`/verify-cancellation?token=`: what came of a cancellation link. It only reads."""

    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        booking = cancellation.cancelled_by(request.GET.get("token", ""), now=now)
        return show(request, "cancelled", {"acknowledgement_id": booking.acknowledgement_id})
