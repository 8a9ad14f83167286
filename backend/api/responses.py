"""What answers show of a booking."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from backend.api.explained import explained, history
from backend.bookings import links, story
from backend.bookings.lifecycle.explanation import Explanation, explain
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.next_steps import announced_deadline
from backend.bookings.payment_status import load_payments, owed_paise, paid_paise
from backend.bookings.queries import Progress
from backend.core import formatting
from backend.payments import adapters
from backend.payments.models import Payment
from backend.scheduling.claims import Slot


def status(found: Progress, *, now: datetime) -> dict[str, Any]:
    """What check-status shows to whoever knows the id: nothing personal."""
    return _shown(found.booking, explain(found.booking, now=now, by_token=False), found.visited)


def _shown(booking: Booking, explanation: Explanation, visited: list[str]) -> dict[str, Any]:
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "status": booking.state,
        "preferred_date": booking.preferred_date.isoformat(),
        "preferred_period": booking.preferred_period,
        "preferred_time_start": hour_and_minute(booking.preferred_time_start),
        "preferred_time_end": hour_and_minute(booking.preferred_time_end),
        "mode": booking.mode,
        "approved_slot_start": utc_iso(booking.slot_start),
        "approved_slot_end": utc_iso(booking.slot_end),
        "amount": None if booking.amount_paise is None else formatting.rupees(booking.amount_paise),
        "amount_paid": formatting.rupees(paid_paise(booking)),
        "amount_left": formatting.rupees(owed_paise(booking)),
        "timeline": visited,
        "created_at": utc_iso(booking.created_at),
        "due_at": utc_iso(announced_deadline(booking)),
        "payment_status": explanation.money.value,
        "support": support_lines(),
        **explained(explanation),
    }


def detail(booking: Booking, token: str, *, now: datetime) -> dict[str, Any]:
    """What the booking link with this token shows to its reader. As in mails, a meeting link waits for the payment."""
    load_payments(booking)
    steps = story.steps(booking)
    shown = _shown(booking, explain(booking, now=now, by_token=True), story.visited(steps))
    shown["history"] = history(story.told(steps))
    shown["payment_mode"] = booking.payment_mode
    shown["psychologist"] = booking.psychologist.full_name if booking.psychologist else None
    shown["meeting_link"] = None
    shown["address"] = booking.address or None
    if booking.state == State.CONFIRMED:
        shown["meeting_link"] = links.join_address(booking, token) or None
        shown["add_to_calendar_url"] = add_to_calendar_url(booking)
    if booking.state == State.PAYMENT_PENDING and booking.choose_by is None:
        for payment in Payment.objects.open().filter(booking=booking):
            shown |= pay_address(payment)
    return shown


def pay_address(payment: Payment) -> dict[str, str]:
    """Where an attempt that is open can be paid, with a gateway that has pages; else the site's own page pays."""
    return {"pay_url": links.pay_page(payment.reference)} if adapters.has_pages(payment.gateway) else {}


def add_to_calendar_url(booking: Booking) -> str:
    """Opens a calendar with the session filled in, under a title that says nothing about it.

    The address is a stranger's, so that it gets a link that all clients share, and never one with a booking's token.
    """
    form = "%Y%m%dT%H%M%SZ"
    start, end = cast(datetime, booking.slot_start), cast(datetime, booking.slot_end)
    return "https://calendar.google.com/calendar/render?" + urlencode(
        {
            "action": "TEMPLATE",
            "text": gettext("Appointment {acknowledgement_id}").format(acknowledgement_id=booking.acknowledgement_id),
            "dates": f"{start.astimezone(UTC).strftime(form)}/{end.astimezone(UTC).strftime(form)}",
            "location": place(booking, ""),
        }
    )


def place(booking: Booking, token: str) -> str:
    """Where the session is, on one line, for who holds this token."""
    return links.join_address(booking, token) or ", ".join(booking.address.splitlines())


def support_lines() -> list[dict[str, str]]:
    """The help lines, as `{name, number}`."""
    return [{"name": name, "number": number} for name, number in formatting.support_lines()]


def slot_choices(slots: object) -> list[dict[str, str | None]]:
    """Free slots as instants with offset."""
    return [{"start": utc_iso(s.start), "end": utc_iso(s.end)} for s in cast(Iterable[Slot], slots)]


def utc_iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_iso(at: datetime, zone: ZoneInfo) -> str:
    """ISO 8601 with the offset of `zone`."""
    return at.astimezone(zone).isoformat()


def hour_and_minute(at: time | None) -> str | None:
    """`HH:MM`."""
    return None if at is None else at.strftime("%H:%M")
