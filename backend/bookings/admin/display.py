"""How the admin shows states, spans, money and the facts of a ledger row."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.html import format_html
from django.utils.safestring import SafeString

from backend.admin_pages import NOTHING
from backend.bookings import sponsors, wording
from backend.bookings.machine import State
from backend.people.models import Corporate

COLOURS = {
    State.DRAFT: "secondary",
    State.PENDING: "warning",
    State.APPROVED: "info",
    State.PAYMENT_PENDING: "info",
    State.CONFIRMED: "success",
    State.COMPLETED: "dark",
    State.REJECTED: "light",
    State.CANCELLED: "light",
    State.PAYMENT_FAILED: "danger",
}


def badge(state: str) -> SafeString:
    """The state's name on its colour."""
    return format_html('<span class="badge text-bg-{}">{}</span>', COLOURS[State(state)], State(state).label)


def mark(text: str) -> SafeString:
    """Something that presses; nothing for nothing."""
    return format_html(' <span class="badge text-bg-danger">{}</span>', text) if text else SafeString("")


def time_left(until: datetime | None, *, now: datetime) -> str:
    """`2 h 5 min`, or how long ago it was: `5 min overdue`."""
    if until is None:
        return NOTHING
    return span(until - now) if until > now else f"{span(now - until)} overdue"


def span(length: timedelta) -> str:
    """The two largest units that matter, `3 d 4 h`, `4 h 10 min`, `10 min`, `40 s`."""
    seconds = int(length.total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def money(paise: int | None) -> str:
    """`1500.00 rupees`."""
    return NOTHING if paise is None else f"{wording.rupees(paise)} rupees"


def sponsor(corporate: Corporate, *, now: datetime) -> str:
    """Whether a corporate would pay, a line a month: `Acme; December 2026: 3 of 10 left`."""
    lines = [str(corporate)]
    for month in sponsors.outlook(corporate, now=now):
        left = "no limit" if month.left is None else f"{month.left} of {corporate.sessions_a_month} left"
        lines.append(f"{month.first_day:%B %Y}: {left}" + (f"; not covered: {month.gap}" if month.gap else ""))
    return "\n".join(lines)


def fact(name: str, value: object) -> str:
    """One detail of a ledger row: `amount 1500.00 rupees`, `psychologist 3`."""
    if name.endswith("_paise") and isinstance(value, int):
        return f"{name.removesuffix('_paise').replace('_', ' ')} {money(value)}"
    return f"{name.replace('_', ' ')} {value}"
