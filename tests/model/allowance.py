"""What a sponsor pays for: so many sessions of a month, each counted while it is held, and given back as promised."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from tests.model.availability import KOLKATA
from tests.model.snapshot import Row, Snapshot

TIMELY = ("by_visitor", "by_staff")  # how a session is called off so that the sponsor has it back


class Allowance:
    """What the sponsor's months have left; a rule that books several sessions counts each."""

    def __init__(self, seen: Snapshot, a_month: int | None) -> None:
        self.a_month = a_month
        self.used = _used(seen)

    def covers(self, start: datetime, *, besides: Row | None = None) -> bool:
        """Whether one more session on that day is paid for; the one that moves is not counted against itself."""
        month = month_of(start)
        is_counted = besides is not None and _is_held(besides) and besides.sponsored_month == month
        return self.a_month is None or self.used[month] - is_counted < self.a_month

    def take(self, start: datetime) -> None:
        """One session of that month is used."""
        self.used[month_of(start)] += 1

    def move(self, booking: Row, start: datetime) -> None:
        """It counts in its new month."""
        self.give_back(booking)
        if booking.sponsored_month is not None:
            self.take(start)

    def give_back(self, booking: Row) -> None:
        """The month has it again."""
        if _is_held(booking):
            self.used[booking.sponsored_month] -= 1


def month_of(start: datetime) -> date:
    """By its first day: that of the session in the practice's zone."""
    return start.astimezone(KOLKATA).date().replace(day=1)


def check(snapshot: Snapshot) -> None:
    """Raises AssertionError when a booking has a sponsor whom it must not have, or the other way round."""
    for booking in snapshot.bookings.values():
        is_counted = booking.sponsored_month is not None
        if is_counted:
            assert booking.corporate_id is not None, f"counted for nobody: {booking}"
            assert booking.sponsored_month == month_of(booking.slot_start), f"counted in another month: {booking}"
        if booking.state in ("APPROVED", "PAYMENT_PENDING"):
            assert booking.corporate_id is None, f"asked to pay what a sponsor pays: {booking}"
        if booking.state in ("CONFIRMED", "COMPLETED") and booking.corporate_id is not None:
            assert is_counted == (booking.amount_paise > 0), f"sponsored, and not counted: {booking}"
        is_returned = booking.sponsorship_returned_at is not None
        is_due_back = booking.outcome == "practice_absent" or booking.reason in TIMELY
        assert is_returned == (is_counted and is_due_back), f"the sponsor's session: {booking}"


def check_step(before: Snapshot, after: Snapshot, written: list[Row], a_month: int | None) -> None:
    """A month is only overdrawn by what did take place after all."""
    if a_month is None:
        return
    had, has = _used(before), _used(after)
    for month, used in has.items():
        if used > max(a_month, had[month]):
            intents = {entry.intent for entry in written}
            assert intents == {"record_outcome"}, f"{used} sessions of {a_month} in {month}: by {intents}"


def _used(seen: Snapshot) -> Counter[date]:
    return Counter(booking.sponsored_month for booking in seen.bookings.values() if _is_held(booking))


def _is_held(booking: Row) -> bool:
    return booking.sponsored_month is not None and booking.sponsorship_returned_at is None
