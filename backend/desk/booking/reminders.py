"""By which way a visitor is reminded, as they told staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle.reminder_choice import record_reminders
from backend.bookings.models import Booking
from backend.bookings.refusals import staff_sentence
from backend.channels import adapters, consents
from backend.channels.models import CHANNELS, Purpose
from backend.channels.names import ReminderWay
from backend.core.errors import Refused
from backend.desk.navigation import booking_to_decide, to_booking
from backend.desk.page import Page, render

LABELS = {ReminderWay.EMAIL.value: "Email"} | dict(CHANNELS)


def may_choose(access: AccessPolicy, booking: Booking) -> bool:
    """Whether the booking's page leads here; where no channel is configured there is nothing to choose."""
    return bool(adapters.configured()) and booking.client_id is not None and access.may_act(booking, Scope.DESK)


def reminders(request: HttpRequest, booking_id: int) -> HttpResponse:
    """GET: as it is, and what there is. POST: what they said, under the account's name."""
    access = AccessPolicy(request.user)
    booking = booking_to_decide(access, booking_id, Scope.DESK)
    if request.method == "POST":
        return _record(request, booking)
    stands = consents.of_booking(booking.pk, Purpose.REMINDERS)
    return render(
        request,
        "admin/bookings/booking/reminders.html",
        title=f"Reminders of {booking}",
        model=Booking,
        booking=booking,
        phone=access.phone(booking),
        stands=stands,
        given_by=actors.describe(stands.given_by) if stands is not None else "",
        way=stands.channel if stands is not None else ReminderWay.EMAIL.value,
        ways=[(way.value, LABELS[way.value]) for way in adapters.ways()],
    )


def _record(request: HttpRequest, booking: Booking) -> HttpResponse:
    way, actor = request.POST.get("reminders_by", ""), actors.for_account(request.user)
    try:
        is_new = record_reminders(booking.pk, way, actor=actor, now=timezone.now())
    except Refused as refused:
        messages.error(request, staff_sentence(refused))
    else:
        said = f"{booking.full_name} is reminded by {LABELS[way].lower() if way == 'email' else LABELS[way]}."
        messages.success(request, f"Recorded: {said}" if is_new else "It was so before. Nothing was changed.")
    return to_booking(booking.pk)


PAGE = Page(
    "<int:booking_id>/reminders/",
    "bookings_booking_reminders",
    lambda access: access.may_act_on_some(Scope.DESK),
    reminders,
)
