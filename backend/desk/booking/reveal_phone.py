"""A telephone number, shown once to who may not see it otherwise, and recorded."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle import disclosure
from backend.bookings.models import Booking
from backend.desk.navigation import to_booking, visible_bookings
from backend.desk.page import Page, render
from backend.people import phones


def may_reveal(access: AccessPolicy) -> bool:
    """Whether the booking's page shows the button; who sees numbers anyhow needs none."""
    return access.reveals_phones and not access.sees_phones


def reveal_phone(request: HttpRequest, booking_id: int) -> HttpResponse:
    """POST: the number, once; who opens the address gets the booking's page, which masks it."""
    if not visible_bookings(AccessPolicy(request.user)).filter(pk=booking_id).exists():
        raise Http404
    if request.method != "POST":
        return to_booking(booking_id)
    booking = disclosure.reveal_phone(booking_id, actor=actors.for_account(request.user), now=timezone.now())
    template = "admin/bookings/booking/phone.html"
    number = phones.shown(booking.phone_number)
    return render(request, template, title=f"Call {booking}", model=Booking, booking=booking, number=number)


PAGE = Page(
    "<int:booking_id>/reveal-phone/",
    "bookings_booking_reveal_phone",
    lambda access: access.reveals_phones,
    reveal_phone,
)
