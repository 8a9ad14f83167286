"""The rows of the list as a file: streamed, with what the account may see, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import datetime

from backend.bookings.access import AccessPolicy
from backend.bookings.models import Booking
from backend.core import formatting
from backend.core.formatting import practice_zone

AT_ONCE = 2000  # rows read from the database
_RUN = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
)  # what a spreadsheet takes for a formula's beginning

Column = Callable[[Booking, AccessPolicy], object]


class _Echo:
    """A file that gives back what is written."""

    def write(self, line: str) -> str:
        return line


def lines(bookings: Iterator[Booking], access: AccessPolicy) -> Iterator[str]:
    """The head, and a line each; read and written a few at a time."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for booking in bookings:
        yield writer.writerow([defused(str(read(booking, access))) for read in COLUMNS.values()])


def defused(text: str) -> str:
    """Text that stays text where it is opened: https://owasp.org/www-community/attacks/CSV_Injection."""
    return f"'{text}" if text.lstrip(" ").startswith(_RUN) else text


def _local(at: datetime | None) -> str:
    return f"{at.astimezone(practice_zone()):%Y-%m-%d %H:%M %Z}" if at else ""


COLUMNS: dict[str, Column] = {
    "id": lambda booking, _: booking.acknowledgement_id,
    "state": lambda booking, _: booking.get_state_display(),
    "reason": lambda booking, _: booking.get_reason_display() if booking.reason else "",
    "name": lambda booking, _: booking.full_name,
    "address": lambda booking, _: booking.email,
    "telephone": lambda booking, access: access.phone(booking.phone_number),
    "preferred day": lambda booking, _: booking.preferred_date.isoformat(),
    "preferred hours": lambda booking, _: booking.get_preferred_period_display(),
    "mode": lambda booking, _: booking.get_mode_display(),
    "pays": lambda booking, _: booking.get_payment_mode_display(),
    "sponsor": lambda booking, _: booking.corporate or "",
    "psychologist": lambda booking, _: booking.psychologist or "",
    "session": lambda booking, _: _local(booking.slot_start),
    "until": lambda booking, _: _local(booking.slot_end),
    "rupees": lambda booking, _: "" if booking.amount_paise is None else formatting.rupees(booking.amount_paise),
    "outcome": lambda booking, _: booking.get_outcome_display(),
    "requested": lambda booking, _: _local(booking.created_at),
    "deadline": lambda booking, _: _local(booking.due_at),
}
