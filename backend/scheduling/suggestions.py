"""Free slots in the order in which they suit a request: what staff are offered, and what approving by itself takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from backend.bookings import policy
from backend.bookings.models import Booking, Period
from backend.core.formatting import practice_zone
from backend.scheduling.free_slots import FreeSlot, SlotSearch, free_slots

COUNT = 10  # offered at once: more is no choice
BEFORE, AFTER = timedelta(days=7), timedelta(days=14)  # how far from the wish slots are looked for
NEAR = timedelta(days=2)  # where they are looked for first: mostly there are enough, of thousands within three weeks
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Suggestion:
    """A free slot, and whether it is all that the visitor asked for: day, hours, mode and psychologist."""

    slot: FreeSlot
    fits: bool


def suggestions(
    booking: Booking,
    *,
    now: datetime,
    psychologist_id: int | None = None,
    language: str = "",
    limit: int | None = COUNT,
) -> list[Suggestion]:
    """Slots that fit first, then those nearest to the wish. Always of the booking's mode.

    Three queries, and three more where few are free near the wish.
    """
    wish = _wish(booking)

    def ranked(before: timedelta, after: timedelta) -> list[FreeSlot]:
        search = SlotSearch(
            start=max(now, wish.start - before),
            end=max(now, wish.end) + after,
            mode=booking.mode,
            psychologist_ids=(psychologist_id,) if psychologist_id else (),
            language=language,
            for_booking_id=booking.pk,
        )
        found = free_slots(search, now=now)
        return sorted(found, key=lambda slot: (not wish.fits(slot), wish.distance(slot), not wish.is_with(slot), slot))

    found = ranked(NEAR, NEAR) if limit else []
    if not limit or len(found) < limit or wish.distance(found[limit - 1]) >= NEAR - wish.aside:
        found = ranked(BEFORE, AFTER)  # for what was not looked at yet could be ahead
    return [Suggestion(slot, wish.fits(slot)) for slot in found[:limit]]


@dataclass(frozen=True)
class _Wish:
    """What the visitor asked for: the preferred hours as instants `[start, end)`, and the slot if they named one."""

    start: datetime
    end: datetime
    ends_within: bool  # own hours say when the visitor must end, a period only when they would begin
    slot_start: datetime | None
    psychologist_id: int | None

    @property
    def aside(self) -> timedelta:
        """How far the slot they named lies from the hours: a caller's may, and a program's."""
        named = self.slot_start or self.start
        return max(self.start - named, named - self.end, timedelta(0))

    def is_with(self, slot: FreeSlot) -> bool:
        return self.psychologist_id in (None, slot.psychologist_id)

    def fits(self, slot: FreeSlot) -> bool:
        is_soon_enough = slot.end <= self.end if self.ends_within else slot.start < self.end
        return self.start <= slot.start and is_soon_enough and self.is_with(slot)

    def distance(self, slot: FreeSlot) -> timedelta:
        if self.slot_start is not None:
            return abs(slot.start - self.slot_start)
        return max(self.start - slot.start, slot.start - self.end, timedelta(0))


def _wish(booking: Booking) -> _Wish:
    is_custom = booking.preferred_period == Period.CUSTOM
    first, last = policy.PERIODS.get(booking.preferred_period, (time.min, time.min))
    if is_custom and booking.preferred_time_start and booking.preferred_time_end:
        first, last = booking.preferred_time_start, booking.preferred_time_end
    return _Wish(
        start=_instant(booking.preferred_date, first),
        end=_instant(booking.preferred_date + (_DAY if last == time.min else timedelta(0)), last),
        ends_within=is_custom,
        slot_start=booking.preferred_slot_start,
        psychologist_id=booking.preferred_psychologist_id,
    )


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=practice_zone()).astimezone(UTC)
