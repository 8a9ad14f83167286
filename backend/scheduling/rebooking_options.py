"""Which bookings an absence touches, and where each could go instead. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings.guarantees import held_session
from backend.bookings.machine import HOLDS_SLOT
from backend.bookings.models import Booking
from backend.people.models import HoursMode, TimeOff
from backend.scheduling.free_slots import FreeSlot, SlotSearch, free_slots

AHEAD = timedelta(days=14)  # after the absence, how far other times are looked for
EACH = 4  # times of the same psychologist, and as many of others


@dataclass(frozen=True)
class RebookingOptions:
    """Free slots for one booking, nearest first, and the one that is proposed: none means that it is cancelled."""

    booking: Booking
    same: list[FreeSlot]
    others: list[FreeSlot]
    proposed: FreeSlot | None


def affected_bookings(psychologist_id: int, start: datetime, end: datetime) -> list[Booking]:
    """The bookings whose session lies in `[start, end)`, wholly or in part, by time."""
    held = Booking.objects.filter(psychologist=psychologist_id, state__in=HOLDS_SLOT)
    found = held.filter(slot_start__lt=end, slot_end__gt=start).select_related("psychologist", "corporate")
    return list(found.order_by("slot_start"))


def within_time_off(psychologist_id: int, *, now: datetime) -> list[Booking]:
    """The bookings over which time off was laid that is not over yet: they stand until somebody decides."""
    away = TimeOff.objects.filter(psychologist=psychologist_id, ends_at__gt=now).order_by("starts_at")
    found = {
        booking.pk: booking
        for off in away
        for booking in affected_bookings(psychologist_id, off.starts_at, off.ends_at)
    }
    return list(found.values())


def rebooking_options(psychologist_id: int, start: datetime, end: datetime, *, now: datetime) -> list[RebookingOptions]:
    """For every booking that is touched. No slot is proposed twice; the same psychologist goes before another."""
    bookings = affected_bookings(psychologist_id, start, end)
    if not bookings:
        return []
    free = [
        slot
        for slot in free_slots(SlotSearch(now, max(now, end) + AHEAD), now=now)
        if slot.psychologist_id != psychologist_id or slot.end <= start or slot.start >= end
    ]
    proposed: set[FreeSlot] = set()
    found = []
    for booking in bookings:
        same, others = _of(booking, free)
        choice = next((slot for slot in (*same, *others) if slot not in proposed), None)
        if choice is not None:
            proposed.add(choice)
        found.append(RebookingOptions(booking, same[:EACH], others[:EACH], choice))
    return found


def other_times(booking: Booking, *, now: datetime) -> RebookingOptions:
    """Free slots to which one session could move, nearest to its present time first; none is proposed."""
    at = held_session(booking).start
    search = SlotSearch(max(now, at - AHEAD), max(now, at) + AHEAD, mode=booking.mode, for_booking_id=booking.pk)
    free = [
        slot
        for slot in free_slots(search, now=now)
        if (slot.psychologist_id, slot.start) != (booking.psychologist_id, at)
    ]
    same, others = _of(booking, free)
    return RebookingOptions(booking, same[:EACH], others[:EACH], None)


def _of(booking: Booking, free: Iterable[FreeSlot]) -> tuple[list[FreeSlot], list[FreeSlot]]:
    at = held_session(booking).start
    near = sorted(
        (slot for slot in free if slot.offers in (booking.mode, HoursMode.BOTH)), key=lambda s: abs(s.start - at)
    )
    same = [slot for slot in near if slot.psychologist_id == booking.psychologist_id]
    return same, [slot for slot in near if slot.psychologist_id != booking.psychologist_id]
