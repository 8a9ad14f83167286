"""Which bookings an absence touches, and where each could go instead. Nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Max, Q

from backend.bookings import policy
from backend.bookings.guarantees import held_session
from backend.bookings.machine import HOLDS_SLOT
from backend.bookings.models import Booking, ClosedDay
from backend.core.formatting import practice_zone
from backend.people.models import HoursMode, TimeOff
from backend.scheduling.free_slots import FreeSlot, SlotSearch, free_slots

AHEAD = timedelta(days=14)  # after the absence, how far other times are looked for
CLOSED_MOST = 40  # decided about on one page
EACH = 4  # times of the same psychologist, and as many of others


@dataclass(frozen=True)
class RebookingOptions:
    """Free slots for one booking, nearest first. None is proposed: the visitor asked for none of them."""

    booking: Booking
    same: list[FreeSlot]
    others: list[FreeSlot]


def affected_bookings(psychologist_id: int, start: datetime, end: datetime) -> list[Booking]:
    """The bookings whose session lies in `[start, end)`, wholly or in part, by time."""
    held = Booking.objects.filter(psychologist=psychologist_id, state__in=HOLDS_SLOT)
    held = held.filter(slot_start__gt=start - policy.SESSION_LONGEST, slot_start__lt=end, slot_end__gt=start)
    found = held.select_related("psychologist", "corporate")
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
    """For every booking that is touched."""
    bookings = affected_bookings(psychologist_id, start, end)
    if not bookings:
        return []
    free = [
        slot
        for slot in free_slots(SlotSearch(now, max(now, end) + AHEAD), now=now)
        if slot.psychologist_id != psychologist_id or slot.end <= start or slot.start >= end
    ]
    return _options(bookings, free)


def on_closed_days(*, now: datetime, until: datetime | None = None) -> list[Booking]:
    """The bookings that begin or end on a day that is closed, soonest first: they stand until somebody decides."""
    earliest = now - policy.SESSION_LONGEST
    ahead = Booking.objects.filter(state__in=HOLDS_SLOT, slot_end__gt=now, slot_start__gt=earliest)
    last = until or ahead.aggregate(last=Max("slot_start"))["last"]
    if last is None:
        return []
    touched = [
        Q(slot_start__gt=start - policy.SESSION_LONGEST, slot_start__lt=end if until is None else min(end, until))
        & Q(slot_end__gt=start)
        for start, end in ClosedDay.spans(_day(earliest), _day(last + policy.SESSION_LONGEST))
    ]
    if not touched:
        return []
    found = ahead.filter(reduce(or_, touched)).select_related("psychologist", "corporate")
    return list(found.order_by("slot_start")[:CLOSED_MOST])


def _day(at: datetime) -> date:
    """The practice's."""
    return at.astimezone(practice_zone()).date()


def closed_day_options(*, now: datetime) -> list[RebookingOptions]:
    """For every booking on a closed day."""
    bookings = on_closed_days(now=now)
    if not bookings:
        return []
    last = held_session(bookings[-1]).end
    return _options(bookings, free_slots(SlotSearch(now, last + AHEAD), now=now))


def _options(bookings: Iterable[Booking], free: Collection[FreeSlot]) -> list[RebookingOptions]:
    return [_near(booking, free) for booking in bookings]


def other_times(booking: Booking, *, now: datetime) -> RebookingOptions:
    """Free slots to which one session could move, nearest to its present time first."""
    at = held_session(booking).start
    search = SlotSearch(max(now, at - AHEAD), max(now, at) + AHEAD, mode=booking.mode, for_booking_id=booking.pk)
    free = [
        slot
        for slot in free_slots(search, now=now)
        if (slot.psychologist_id, slot.start) != (booking.psychologist_id, at)
    ]
    return _near(booking, free)


def _near(booking: Booking, free: Iterable[FreeSlot]) -> RebookingOptions:
    at = held_session(booking).start
    near = sorted(
        (slot for slot in free if slot.offers in (booking.mode, HoursMode.BOTH)), key=lambda s: abs(s.start - at)
    )
    same = [slot for slot in near if slot.psychologist_id == booking.psychologist_id]
    others = [slot for slot in near if slot.psychologist_id != booking.psychologist_id]
    return RebookingOptions(booking, same[:EACH], others[:EACH])
