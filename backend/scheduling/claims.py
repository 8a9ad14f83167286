"""Holding a psychologist's time: claim, release, and what is free nearby. Callers hold the psychologist's lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from backend.bookings import policy
from backend.bookings.models import Alternative, Booking, SlotClaim
from backend.core import batched_writes, compiled_writes, row_locks
from backend.core.compiled_changes import GivenIds, compiled_delete
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Refused
from backend.core.row_locks import Locking
from backend.core.statements import Statement
from backend.people.models import Psychologist, WorkingHours
from backend.scheduling.free_slots import SlotSearch, free_slots, terms_of

NEARBY_STEP = timedelta(minutes=30)  # the grid on which alternatives are offered to who has no hours
NEARBY_SPAN = timedelta(days=2)  # how far from the wanted time they are then looked for
NEARBY_IN_HOURS = timedelta(days=14)  # the same for who has hours, which may be few
NEARBY_COUNT = 3


@dataclass(frozen=True)
class Slot:
    """A psychologist's time, half-open `[start, end)`, aware instants, and the pause after it."""

    psychologist_id: int
    start: datetime
    end: datetime
    pause: timedelta | None = None  # none: the practice's

    @property
    def blocked_until(self) -> datetime:
        """The end of the pause after the session; until then nobody else can have the psychologist."""
        return self.end + (policy.SLOT_BUFFER if self.pause is None else self.pause)


def slot_with(psychologist: Psychologist, start: datetime, end: datetime) -> Slot:
    """A session with this psychologist, who has pauses of their own."""
    return Slot(psychologist.pk, start, end, terms_of(psychologist).buffer)


def claim_slot(booking: Booking, slot: Slot, *, now: datetime) -> None:
    """Hold `slot` and the pause after it. Refuses: slot_taken, with the nearest free slots.

    The check decides, because the caller holds the psychologist's lock; the exclusion constraint is the last net.
    """
    if not is_free(slot, for_booking=booking):
        raise Refused(Code.SLOT_TAKEN, free_slots=nearby_slots(slot, now=now, for_booking=booking))
    claim = SlotClaim(
        psychologist_id=slot.psychologist_id,
        booking=booking,
        blocked_from=slot.start,
        blocked_until=slot.blocked_until,
    )
    compiled_writes.insert([claim])


def move_claim(booking: Booking, slot: Slot, *, now: datetime) -> None:
    """Hold `slot` instead of what is held: one UPDATE, so that no moment leaves the booking without a claim.

    Refuses: slot_taken. The booking's own old time is no obstacle.
    """
    if not is_free(slot, for_booking=booking):
        raise Refused(Code.SLOT_TAKEN, free_slots=nearby_slots(slot, now=now, for_booking=booking))
    SlotClaim.objects.filter(booking=booking).update(
        psychologist_id=slot.psychologist_id, blocked_from=slot.start, blocked_until=slot.blocked_until
    )


def is_free(slot: Slot, *, for_booking: Booking) -> bool:
    """Whether nobody else holds any part of `slot` or of the pause after it."""
    asked = {"psychologist": slot.psychologist_id, "start": slot.start, "until": slot.blocked_until}
    return not _claims_by_others.rows(booking=for_booking.pk or 0, **asked)


@compiled
def _claims_by_others() -> QuerySet[SlotClaim, Any]:
    meeting = SlotClaim.objects.filter(blocked_from__lt=Given("until"), blocked_until__gt=Given("start"))
    others = meeting.filter(psychologist=Given("psychologist")).exclude(booking=Given("booking"))
    return others.order_by().values_list("pk")[:1]


def of_alternative(alternative: Alternative) -> Slot:
    """The time that was offered."""
    return slot_with(alternative.psychologist, alternative.slot_start, alternative.slot_end)


def is_alternative_free(alternative: Alternative, *, now: datetime) -> bool:
    """Whether a time that a rejection offered is still free; nobody held it."""
    return (
        alternative.slot_start > now
        and alternative.psychologist.is_active
        and is_free(of_alternative(alternative), for_booking=alternative.booking)
    )


def release_claim(booking: Booking) -> None:
    """Give the held time back, if any is held."""
    batched_writes.write(_release, booking.pk)


_claims = compiled_delete(lambda: SlotClaim.objects.filter(booking__among=GivenIds("bookings")))


def _release(booking_ids: list[int]) -> list[Statement[int]]:
    return [_claims.statement(bookings=booking_ids)]


def nearby_slots(wanted: Slot, *, now: datetime, for_booking: Booking | None = None) -> list[Slot]:
    """Up to NEARBY_COUNT free slots of the same psychologist, nearest to the wanted start first.

    Of their hours, for the booking's mode; where they have none, any time that nobody holds, of the same length.
    """
    if not WorkingHours.objects.filter(psychologist=wanted.psychologist_id).exists():
        return _nearby_at_any_hour(wanted, now=now)
    search = SlotSearch(
        wanted.start - NEARBY_IN_HOURS,
        wanted.start + NEARBY_IN_HOURS,
        mode=for_booking.mode if for_booking else "",
        psychologist_ids=(wanted.psychologist_id,),
        for_booking_id=for_booking.pk if for_booking else None,
    )
    free = sorted(free_slots(search, now=now), key=lambda slot: abs(slot.start - wanted.start))
    return [Slot(slot.psychologist_id, slot.start, slot.end, wanted.pause) for slot in free[:NEARBY_COUNT]]


def _nearby_at_any_hour(wanted: Slot, *, now: datetime) -> list[Slot]:
    length, blocked = wanted.end - wanted.start, wanted.blocked_until - wanted.start
    held = list(
        SlotClaim.objects.filter(
            psychologist_id=wanted.psychologist_id,
            blocked_from__lt=wanted.start + NEARBY_SPAN + blocked,
            blocked_until__gt=wanted.start - NEARBY_SPAN,
        ).values_list("blocked_from", "blocked_until")
    )
    found: list[Slot] = []
    for step in range(1, int(NEARBY_SPAN / NEARBY_STEP)):
        for start in (wanted.start - step * NEARBY_STEP, wanted.start + step * NEARBY_STEP):
            is_held = any(first < start + blocked and until > start for first, until in held)
            if start > now + policy.ONLINE_PAYMENT_NOTICE and not is_held:
                found.append(Slot(wanted.psychologist_id, start, start + length, wanted.pause))
        if len(found) >= NEARBY_COUNT:
            break
    return found[:NEARBY_COUNT]


def lock_psychologists(ids: list[int]) -> dict[int, Psychologist]:
    """Psychologists by id, locked in order of id until commit."""
    found = row_locks.take(*(locking_psychologist(id_) for id_ in sorted(set(ids))))
    return {psychologist.pk: psychologist for psychologist in found if psychologist is not None}


def locking_psychologist(id_: int) -> Locking[Psychologist | None]:
    """One, to be taken with others."""
    return _psychologist.of(id=id_).then(lambda found: next(iter(found), None))


_psychologist = row_locks.Lock(lambda: Psychologist.objects.filter(pk=Given("id")).order_by())
