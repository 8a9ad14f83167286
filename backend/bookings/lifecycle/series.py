"""What is still ahead of a series, moved or cancelled by staff as one: all of it or nothing, told in one mail.

A series is what was booked from one session at one instant; a session that follows none is one of its own. Each is
moved or cancelled by the very intent that does it alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction

from backend.bookings import sponsors
from backend.bookings.guarantees import held_session
from backend.bookings.lifecycle.cancellation import CalledOffBy, RefundChoice, cancel_by_staff
from backend.bookings.lifecycle.notify import bundle
from backend.bookings.lifecycle.preview import BookingChange, preview_transaction
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.lifecycle.transaction import intent
from backend.bookings.machine import HOLDS_SLOT
from backend.bookings.models import Booking
from backend.bookings.queries import series_ahead
from backend.core import row_locks
from backend.core.errors import Code, Refused
from backend.core.formatting import practice_zone
from backend.payments.models import Payment
from backend.scheduling import claims


@dataclass(frozen=True)
class SeriesMove:
    """When the first session that is ahead is to start; the others keep their distance to it, on our clock."""

    first_start: datetime
    despite_hours: bool = False


@dataclass(frozen=True)
class SeriesCancellation:
    """What holds for each session, as when it is cancelled alone."""

    note_to_visitor: str = ""
    refund: RefundChoice = RefundChoice.RULES
    refund_reason: str = ""
    called_off_by: CalledOffBy = CalledOffBy.PRACTICE


@dataclass(frozen=True)
class SeriesStep:
    """One session as it was, what became of it, or why it does not fit."""

    was: Booking
    slot_start: datetime  # where it was to go, or stood when it was cancelled
    refused: Refused | None = None
    change: BookingChange | None = None  # all that would be written for it, where it was only tried


@intent
def move_series(booking_id: int, move: SeriesMove, *, actor: str, now: datetime) -> list[SeriesStep]:
    """No transition: each session ahead in place, as `reschedule` does. If one is refused, none has moved.

    Refuses: booking_unknown, state_refuses (also when none is ahead), slot_invalid, if it would move nothing. Why a
    session does not fit stands beside it.
    """
    bookings = _lock_ahead(booking_id, now=now)
    first = held_session(bookings[0]).start
    shift = _local(move.first_start) - _local(first)
    if not shift:
        raise Refused(Code.SLOT_INVALID)
    # the one that goes first makes room for the next: later times from the end, earlier ones from the beginning
    in_turn = reversed(bookings) if shift > timedelta(0) else bookings
    steps = [_move(booking, shift, move, actor=actor, now=now) for booking in in_turn]
    if any(step.refused for step in steps):
        transaction.set_rollback(True)
    else:
        bundle(Booking.objects.filter(pk__in=[booking.pk for booking in bookings]))
    return sorted(steps, key=lambda step: step.slot_start)


def preview_move(booking_id: int, move: SeriesMove, *, actor: str, now: datetime) -> list[SeriesStep]:
    """What `move_series` would do: the very same, undone. Refuses: as move_series."""
    with preview_transaction(*series_ahead(booking_id, now=now).values_list("pk", flat=True)) as witness:
        steps = move_series(booking_id, move, actor=actor, now=now)
        return [step if step.refused else replace(step, change=witness.change(step.was.pk)) for step in steps]


@intent
def cancel_series(booking_id: int, cancellation: SeriesCancellation, *, actor: str, now: datetime) -> list[SeriesStep]:
    """Each session ahead → CANCELLED, as `cancel_by_staff` does, for good: the refunds leave at once.

    Refuses: booking_unknown, state_refuses (also when none is ahead), refund_reason_required.
    """
    bookings = _lock_ahead(booking_id, now=now)
    terms = {name: getattr(cancellation, name) for name in SeriesCancellation.__dataclass_fields__}
    bundle([cancel_by_staff(booking.pk, **terms, actor=actor, now=now) for booking in bookings])
    return [SeriesStep(booking, held_session(booking).start) for booking in bookings]


def preview_cancellation(
    booking_id: int, cancellation: SeriesCancellation, *, actor: str, now: datetime
) -> list[SeriesStep]:
    """What `cancel_series` would do: the very same, undone. Refuses: as cancel_series."""
    with preview_transaction(*series_ahead(booking_id, now=now).values_list("pk", flat=True)) as witness:
        steps = cancel_series(booking_id, cancellation, actor=actor, now=now)
        return [replace(step, change=witness.change(step.was.pk)) for step in steps]


def _lock_ahead(booking_id: int, *, now: datetime) -> list[Booking]:
    """The sessions ahead by their start, with all that their intents lock, in the order of locks.

    Refuses: booking_unknown, state_refuses.
    """
    found = dict(series_ahead(booking_id, now=now).values_list("pk", "psychologist_id"))
    held = claims.lock_psychologists([pk for pk in found.values() if pk is not None])
    bookings = row_locks.lock(Booking.objects.filter(pk__in=found).order_by("pk"))
    ahead = [booking for booking in bookings if booking.state in HOLDS_SLOT and held_session(booking).start > now]
    if not ahead or any(booking.psychologist_id not in held for booking in ahead):  # or changed between look and lock
        known = Booking.objects.only("state").filter(pk=booking_id).first()
        raise Refused(Code.STATE_REFUSES, state=known.state) if known else Refused(Code.BOOKING_UNKNOWN)
    sponsors.lock({booking.corporate_id for booking in ahead if booking.corporate_id is not None})
    row_locks.lock(Payment.objects.filter(booking__in=ahead).order_by("pk").only("pk"))
    return sorted(ahead, key=lambda booking: held_session(booking).start)


def _move(booking: Booking, shift: timedelta, move: SeriesMove, *, actor: str, now: datetime) -> SeriesStep:
    zone = practice_zone()
    start = (_local(held_session(booking).start) + shift).replace(tzinfo=zone).astimezone(UTC)
    try:
        reschedule(booking.pk, Move(start, despite_hours=move.despite_hours), actor=actor, now=now)
    except Refused as refused:
        claims.release_claim(booking)  # nothing of this stays; so the others are judged without it in their way
        return SeriesStep(booking, start, refused)
    return SeriesStep(booking, start)


def _local(at: datetime) -> datetime:
    """What the practice's clock shows: a session at ten stays at ten when the clocks change."""
    return at.astimezone(practice_zone()).replace(tzinfo=None)
