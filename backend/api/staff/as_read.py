"""ETag and If-Match of staff's API: a change is made only to what was read."""

from __future__ import annotations

import hashlib
import re
from contextlib import AbstractContextManager, nullcontext

from rest_framework.request import Request

from backend.bookings.lifecycle.transaction import expecting
from backend.bookings.models import Booking
from backend.core.errors import Code, Refused

NOBODYS = -1  # the number of no ledger's row


def tag(booking: Booking) -> str:
    """The number of its ledger's last row: whatever happens to a booking writes one."""
    return f'"{booking.ledger_sequence}"'


def digest(columns: object) -> str:
    """The tag of what has no number: another one after every change."""
    return f'"{hashlib.sha256(repr(columns).encode()).hexdigest()[:32]}"'


def refuse_other(sent: str, stands: str) -> None:
    """Under the lock of what is changed. Refuses: changed_since."""
    if sent not in ("*", stands):
        raise Refused(Code.CHANGED_SINCE)


def if_match(request: Request) -> str:
    """What was sent; `*` is anything, as nothing is."""
    return request.headers.get("If-Match", "*").strip()


def as_read(sent: str, booking_id: int) -> AbstractContextManager[None]:
    """Within, the booking is changed only as it was read; a tag of anything else is of no ledger's row.

    Refuses within: changed_since.
    """
    if sent == "*":
        return nullcontext()
    return expecting(booking_id, int(sent.strip('"')) if re.fullmatch(r'"[0-9]{1,9}"', sent) else NOBODYS)
