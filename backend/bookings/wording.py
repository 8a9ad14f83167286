"""How people read money, times and help lines; the one home of each form."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from backend.bookings import policy


def rupees(paise: int) -> str:
    """Integer paise as rupees with two decimals, `1500.00`."""
    return f"{paise // 100}.{paise % 100:02d}"


def clock_time(at: datetime) -> str:
    """`18:30 IST`, in the practice's zone."""
    return at.astimezone(policy.zone()).strftime("%H:%M %Z")


def day_and_time(at: datetime) -> str:
    """`Tuesday, 1 December 2026, 18:30 IST`, in the practice's zone."""
    local = at.astimezone(policy.zone())
    return f"{local:%A}, {local.day} {local:%B %Y, %H:%M %Z}"


def span(length: timedelta) -> str:
    """`7 days`, `24 hours`, `an hour`, `90 minutes`: the largest unit, days only above one, that needs no fraction."""
    seconds = int(length.total_seconds())
    if seconds == 3600:
        return "an hour"
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds > unit and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"


def support_lines() -> list[tuple[str, str]]:
    """The help lines as (name, number)."""
    return [(name, number) for name, _, number in (line.partition("=") for line in settings.SUPPORT_LINES)]
