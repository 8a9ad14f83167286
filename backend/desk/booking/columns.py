"""What the list and the booking's page show of a booking, a column or line each."""

from __future__ import annotations

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backend.accounts.roles import mask_digits
from backend.bookings import actors
from backend.bookings.machine import ACTIVE, State
from backend.bookings.models import Booking
from backend.bookings.payment_status import (
    CALLED_OFF,
    PaymentStatus,
    outstanding_paise,
    paid_paise,
    payment_status,
    refund_made_at,
)
from backend.core import disclosures
from backend.core.formatting import NOTHING, money, short_day, short_day_and_time
from backend.desk.display import OWN_ROOM, badge, mark, meets_at, sponsor, time_left
from backend.desk.navigation import CHANGE, TELL
from backend.desk.session_fields import choices
from backend.outbox import closed_mailboxes
from backend.payments import receipts
from backend.people import phones
from backend.scheduling.suggestions import suggestions

SLOTS_SHOWN = 6  # beside a request; its approval page has more


@admin.display(description="state", ordering="state")
def status(booking: Booking) -> SafeString:
    is_again = booking.is_priority and booking.state in ACTIVE
    marks = mark("asked again" if is_again else "") + mark(
        "asked to cancel" if booking.cancellation_requested_at else ""
    )
    marks += mark("visitor chooses another time" if booking.choose_by else "")
    reason = f" {booking.get_reason_display()}" if booking.reason else ""
    return format_html("{}{}{}", badge(booking.state), marks, reason)


@admin.display(description="time left", ordering="due_at")
def left(booking: Booking) -> str:
    return time_left(booking.due_at, now=timezone.now())


@admin.display(description="preferred", ordering="preferred_date")
def preferred(booking: Booking) -> str:
    hours = ""
    if booking.preferred_time_start and booking.preferred_time_end:
        hours = f" {booking.preferred_time_start:%H:%M} to {booking.preferred_time_end:%H:%M}"
    return f"{short_day(booking.preferred_date)}, {booking.get_preferred_period_display().lower()}{hours}"


@admin.display(description="asked for", ordering="preferred_date")
def wanted(booking: Booking) -> SafeString:
    day, hours = preferred(booking).split(", ", 1)
    return _two_lines(day, f"{hours}; {booking.get_mode_display().lower()}")


def _two_lines(first: str, second: str) -> SafeString:
    """Of a column of the list, neither of them broken, so that it is narrow and its rows are low."""
    return format_html('<span class="nowrap">{},</span> <span class="nowrap">{}</span>', first, second)


@admin.display(description="wish (not held)")
def wish(booking: Booking) -> str:
    who = str(booking.preferred_psychologist or "")
    at = short_day_and_time(booking.preferred_slot_start) if booking.preferred_slot_start else ""
    return ", ".join(part for part in (who, at) if part) or NOTHING


@admin.display(description="client")
def person(booking: Booking) -> str:
    return str(booking.client or NOTHING)


@admin.display(description="phone number")
def phone(booking: Booking) -> str:
    disclosures.note(booking, "phone_number")
    return phones.shown(booking.phone_number) or NOTHING


@admin.display(description="phone number")
def masked_phone(booking: Booking) -> str:
    return mask_digits(phones.shown(booking.phone_number)) or NOTHING


@admin.display(description="emergency contact")
def masked_contact(booking: Booking) -> str:
    with disclosures.unseen():
        return mask_digits(booking.emergency_contact) or NOTHING


@admin.display(description="user message")
def hidden_message(_booking: Booking) -> str:
    return "For the psychologist alone."


@admin.display(description="slot", ordering="slot_start")
def slot(booking: Booking) -> str:
    return short_day_and_time(booking.slot_start)


@admin.display(description="slot", ordering="slot_start")
def slot_in_list(booking: Booking) -> SafeString | str:
    if booking.slot_start is None:
        return NOTHING
    day, at = short_day_and_time(booking.slot_start).rsplit(", ", 1)
    return _two_lines(day, at)


@admin.display(description="moved by us")
def moved(booking: Booking) -> str:
    return short_day_and_time(booking.moved_by_staff_at)


@admin.display(description="booked from, and next sessions")
def series(booking: Booking) -> str | SafeString:
    rows = [*([booking.follows] if booking.follows else []), *booking.follow_ups.order_by("slot_start")]
    line = '<a href="{}">{}</a> {} {}'
    links = (
        (reverse(CHANGE, args=[row.pk]), row, short_day_and_time(row.slot_start), badge(row.state)) for row in rows
    )
    return format_html_join(SafeString("<br>"), line, links) or NOTHING


@admin.display(description="opened")
def opened(booking: Booking) -> str:
    return short_day_and_time(booking.created_at)


@admin.display(description="address proved")
def verified(booking: Booking) -> str:
    closed = closed_mailboxes.concerning(booking.email, proved_at=booking.verified_at)
    if closed is None:
        return short_day_and_time(booking.verified_at)
    return format_html(
        '{}; <a href="{}">mail does not reach it</a> ({})',
        short_day_and_time(booking.verified_at), reverse(TELL, args=[booking.pk]), closed.get_why_display().lower(),
    )  # fmt: skip


@admin.display(description="closed")
def closed(booking: Booking) -> str:
    return short_day_and_time(booking.closed_at)


@admin.display(description="from")
def place(booking: Booking) -> str:
    return ", ".join(part for part in (booking.city, booking.region, booking.country) if part) or NOTHING


@admin.display(description="age")
def years(booking: Booking) -> str:
    if booking.age is None:
        return NOTHING
    return f"{booking.age}, a minor" if booking.is_minor else str(booking.age)


@admin.display(description="amount")
def price(booking: Booking) -> str:
    return money(booking.amount_paise)


@admin.display(description="payment")
def payment(booking: Booking) -> str:
    status = payment_status(booking)
    text = status.value.replace("_", " ")
    if status is PaymentStatus.PART_PAID:
        left = "" if booking.state in CALLED_OFF else f", {money(outstanding_paise(booking))} left"
        return f"{text}, {money(paid_paise(booking))} of {money(booking.amount_paise)}{left}"
    is_back = status in (PaymentStatus.PART_REFUNDED, PaymentStatus.REFUNDED)
    return f"{text}, {short_day_and_time(refund_made_at(booking))}" if is_back else text


@admin.display(description="meeting link")
def meets(booking: Booking) -> str:
    """Where an online session meets; into a room of its own its psychologist is led by their log-in."""
    place = meets_at(booking)
    if place != OWN_ROOM:
        return place or NOTHING
    address = reverse("admin:bookings_booking_room", args=[booking.pk])
    return format_html('{}: <a href="{}">enter, as who gives the session</a>', place, address)


@admin.display(description="meeting link")
def met(booking: Booking) -> str:
    """The same for whoever does not give the session, and is not let into its room."""
    return meets_at(booking) or NOTHING


@admin.display(description="receipts")
def receipt_links(booking: Booking) -> str:
    """Each a way to its document."""
    found = (
        (reverse("admin:bookings_booking_receipt", args=[booking.pk, one.pk]), one)
        for one in receipts.of_booking(booking.pk)
    )
    return format_html_join(SafeString("<br>"), '<a href="{}">{}</a>', found) or NOTHING


@admin.display(description="receipts")
def receipt_numbers(booking: Booking) -> str:
    return ", ".join(one.number for one in receipts.of_booking(booking.pk)) or NOTHING


@admin.display(description="to be paid by")
def payable(booking: Booking) -> str:
    return short_day_and_time(booking.pay_by)


@admin.display(description="from the sponsor's month")
def sponsored(booking: Booking) -> str:
    if booking.corporate and booking.state == State.PENDING:
        return sponsor(booking.corporate, now=timezone.now())
    if booking.sponsored_month is None:
        return NOTHING
    returned = short_day_and_time(booking.sponsorship_returned_at)
    return f"{booking.sponsored_month:%B %Y}" + (f", given back {returned}" if returned != NOTHING else "")


@admin.display(description="guardian's consent")
def consent(booking: Booking) -> str:
    if booking.guardian_consent_at is None:
        return NOTHING
    recorded = (
        f"Recorded by {actors.describe(booking.guardian_consent_by)}, {short_day_and_time(booking.guardian_consent_at)}"
    )
    known = (booking.guardian_name, booking.get_guardian_proof_display(), recorded)
    return ". ".join(part for part in known if part)


@admin.display(description="free slots, best first")
def fitting(booking: Booking) -> SafeString:
    """Beside what was asked for: what would fit, each a way into the approval."""
    found = suggestions(booking, now=timezone.now(), limit=SLOTS_SHOWN)
    labels = choices(one.slot for one in found)
    slots = [
        {"value": value, "label": label, "fits": one.fits} for one, (value, label) in zip(found, labels, strict=True)
    ]
    return render_to_string("admin/bookings/booking/fitting.html", {"booking": booking, "slots": slots})
