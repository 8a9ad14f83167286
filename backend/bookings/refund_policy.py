"""What a visitor may still do with a session by themselves, until when, and what comes back: cancelling and moving."""

from __future__ import annotations

from datetime import datetime

from backend.bookings import policy
from backend.bookings.models import Booking
from backend.bookings.payment_status import left_paise


def is_timely_cancellation(booking: Booking, *, asked_at: datetime) -> bool:
    """Whether a visitor who asks at `asked_at` cancels the session in time.

    That is CANCEL_NOTICE ahead; after a move by staff any time before the start.
    """
    ends_at = cancel_until(booking)
    return ends_at is not None and asked_at <= ends_at and asked_at != booking.slot_start


def cancel_until(booking: Booking) -> datetime | None:
    """The end of the time in which a visitor cancels the session in time; None where there is none."""
    if booking.slot_start is None or booking.moved_by_staff_at is not None:
        return booking.slot_start
    return _notice_ends_at(booking.slot_start)


def cancellation_refund_paise(booking: Booking, *, asked_at: datetime) -> int:
    """What a visitor who asks to cancel at `asked_at` gets back, in paise: all that is left, or nothing.

    Nothing unless they are in time; then what the policy says, and all of it after a move by staff.
    """
    return left_paise(booking) if gives_back(booking, asked_at=asked_at) else 0


def gives_back(booking: Booking, *, asked_at: datetime) -> bool:
    """Whether cancelling at `asked_at` brings a payment back, also one that is still to be made."""
    is_given_back = booking.moved_by_staff_at is not None or policy.REFUND_ON_VISITOR_CANCELLATION == "full"
    return is_given_back and is_timely_cancellation(booking, asked_at=asked_at)


def is_refund_lost_by_time(booking: Booking, *, asked_at: datetime) -> bool:
    """Whether only the hour is the reason that nothing comes back: earlier, something would have."""
    ends_at = refund_deadline(booking)
    return ends_at is not None and asked_at > ends_at


def refund_deadline(booking: Booking) -> datetime | None:
    """When the right to a refund ends before the session; None if cancelling earlier or later makes no difference."""
    is_timed = policy.REFUND_ON_VISITOR_CANCELLATION == "full" and booking.moved_by_staff_at is None
    return _notice_ends_at(booking.slot_start) if is_timed and booking.slot_start is not None else None


def move_until(booking: Booking) -> datetime | None:
    """The last moment at which a visitor may move the session; None if they may not."""
    if booking.slot_start is None or moves_left(booking) == 0:
        return None
    return _notice_ends_at(booking.slot_start)


def moves_left(booking: Booking) -> int:
    """How often a visitor may still move the session."""
    return max(0, policy.MOVES_BY_VISITOR - booking.moves_by_visitor)


def _notice_ends_at(slot_start: datetime) -> datetime:
    return slot_start - policy.CANCEL_NOTICE
