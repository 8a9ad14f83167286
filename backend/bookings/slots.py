"""Holding a psychologist's time: claim, release, and what is free nearby. Callers hold the psychologist's lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings import policy
from backend.bookings.models import Booking, SlotClaim
from backend.errors import Code, Refused
from backend.people.models import Psychologist

NEARBY_STEP = timedelta(minutes=30)  # the grid on which alternatives are offered
NEARBY_SPAN = timedelta(days=2)  # how far from the wanted time they are looked for
NEARBY_COUNT = 3


@dataclass(frozen=True)
class Slot:
    """A psychologist's time, half-open `[start, end)`, aware instants."""

    psychologist_id: int
    start: datetime
    end: datetime


def claim(booking: Booking, slot: Slot, *, now: datetime) -> None:
    """Hold `slot` and the pause after it. Refuses: slot_taken, with the nearest free slots.

    The check decides, because the caller holds the psychologist's lock; the exclusion constraint is the last net.
    """
    until = slot.end + policy.SLOT_BUFFER
    if not is_free(slot, for_booking=booking):
        raise Refused(Code.SLOT_TAKEN, free_slots=nearby(slot, now=now))
    SlotClaim.objects.create(
        psychologist_id=slot.psychologist_id, booking=booking, blocked_from=slot.start, blocked_until=until
    )


def move(booking: Booking, slot: Slot, *, now: datetime) -> None:
    """Hold `slot` instead of what is held: one UPDATE, so that no moment leaves the booking without a claim.

    Refuses: slot_taken. The booking's own old time is no obstacle.
    """
    if not is_free(slot, for_booking=booking):
        raise Refused(Code.SLOT_TAKEN, free_slots=nearby(slot, now=now))
    SlotClaim.objects.filter(booking=booking).update(
        psychologist_id=slot.psychologist_id, blocked_from=slot.start, blocked_until=slot.end + policy.SLOT_BUFFER
    )


def is_free(slot: Slot, *, for_booking: Booking) -> bool:
    """Whether nobody else holds any part of `slot` or of the pause after it."""
    return (
        not SlotClaim.objects.filter(
            psychologist_id=slot.psychologist_id,
            blocked_from__lt=slot.end + policy.SLOT_BUFFER,
            blocked_until__gt=slot.start,
        )
        .exclude(booking=for_booking)
        .exists()
    )


def release(booking: Booking) -> None:
    """Give the held time back, if any is held."""
    SlotClaim.objects.filter(booking=booking).delete()


def nearby(wanted: Slot, *, now: datetime) -> list[Slot]:
    """Up to NEARBY_COUNT free slots of the same length and psychologist, nearest to the wanted start first."""
    length = wanted.end - wanted.start
    held = list(
        SlotClaim.objects.filter(
            psychologist_id=wanted.psychologist_id,
            blocked_from__lt=wanted.start + NEARBY_SPAN + length + policy.SLOT_BUFFER,
            blocked_until__gt=wanted.start - NEARBY_SPAN,
        ).values_list("blocked_from", "blocked_until")
    )
    found: list[Slot] = []
    for step in range(1, int(NEARBY_SPAN / NEARBY_STEP)):
        for start in (wanted.start - step * NEARBY_STEP, wanted.start + step * NEARBY_STEP):
            until = start + length + policy.SLOT_BUFFER
            is_held = any(blocked_from < until and blocked_until > start for blocked_from, blocked_until in held)
            if start > now + policy.ONLINE_PAYMENT_NOTICE and not is_held:
                found.append(Slot(wanted.psychologist_id, start, start + length))
        if len(found) >= NEARBY_COUNT:
            break
    return found[:NEARBY_COUNT]


def lock_psychologists(ids: list[int]) -> dict[int, Psychologist]:
    """Psychologists by id, locked in order of id until commit."""
    return {p.pk: p for p in Psychologist.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")}
