"""What staff told somebody by telephone, who has no mail address."""

from __future__ import annotations

from datetime import datetime

from backend.bookings import actors
from backend.outbox import by_telephone


def record_told(booking_id: int, *, up_to: int, actor: str, now: datetime) -> int:
    """The notices that were on the page, the last of them `up_to`, were told. Returns how many; none the second time.

    No ledger row: the booking did not change, and a colleague's open form about it must stay good.
    """
    return by_telephone.record_told(booking_id, up_to=up_to, by=actors.describe(actor), now=now)
