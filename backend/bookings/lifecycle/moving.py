"""Moving a session in place: same id, same payment, one UPDATE of its claim; and how a visitor does it.

A visitor moves by the mailed link, CANCEL_NOTICE ahead in every state, MOVES_BY_VISITOR times, and to a slot that is
offered; staff move as they see fit (`staff.reschedule`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings import links, policy, slots, sponsors
from backend.bookings.free_slots import FreeSlot, Search, free_slots
from backend.bookings.lifecycle.sessions import settle_place, time_to_pay
from backend.bookings.lifecycle.steps import (
    VISITOR,
    intent,
    lock_booking,
    note,
    owe_reminders,
    tell_psychologist,
    tell_visitor,
)
from backend.bookings.machine import HOLDS_SLOT, Notice, State
from backend.bookings.models import Booking, Link, Outcome, Purpose
from backend.bookings.standing import move_until
from backend.errors import Code, Refused
from backend.people.models import Psychologist

SETTLED_BY_MOVE = (
    "psychologist",
    "slot_start",
    "slot_end",
    "meeting_link",
    "address",
    "pay_by",
    "due_at",
    "moved_by_staff_at",
    "moves_by_visitor",
    "sponsored_month",
    "sponsorship_returned_at",
    "outcome",
)


@dataclass(frozen=True)
class Choice:
    """Whom a visitor chose, and when."""

    psychologist_id: int
    slot_start: datetime


@intent
def reschedule_by_visitor(token: str, choice: Choice, *, now: datetime) -> Booking:
    """No transition: APPROVED, PAYMENT_PENDING or CONFIRMED in place, as `staff.reschedule`. Spends the link.

    A link that was used shows the booking as it is. Refuses: link_unknown, link_expired, state_refuses, move_too_late,
    moves_used_up, slot_taken (also for what is not offered), slot_too_near, address_required, meeting_link_required,
    month_not_sponsored.
    """
    link = links.find(token, Purpose.RESCHEDULE)
    held = link.booking.psychologist_id
    locked = slots.lock_psychologists([pk for pk in (held, choice.psychologist_id) if pk is not None])
    booking = lock_booking(link.booking_id)
    if Link.objects.get(pk=link.pk).spent_at is not None:
        return booking
    refuse_unless_movable(booking, link, now=now)
    if booking.psychologist_id != held or held is None:  # moved by staff since our look: their mail has a new link
        raise Refused(Code.LINK_EXPIRED)
    found = _offered(booking, choice, now=now)
    if found is None:
        raise Refused(Code.SLOT_TAKEN)
    if not links.spend(link, now=now):
        raise Refused(Code.LINK_EXPIRED)
    psychologist = locked[choice.psychologist_id]
    if psychologist.pk != held or found.location_id is not None:
        settle_place(booking, psychologist, location_id=found.location_id)
    booking.moves_by_visitor += 1
    slot = slots.slot_with(psychologist, found.start, found.start + length_of(booking))
    relocate(booking, locked[held], psychologist, slot, actor=VISITOR, now=now)
    return booking


def refuse_unless_movable(booking: Booking, link: Link, *, now: datetime) -> None:
    """Refuses: state_refuses, moves_used_up, move_too_late, link_expired."""
    if booking.state not in HOLDS_SLOT:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if booking.moves_by_visitor >= policy.MOVES_BY_VISITOR:
        raise Refused(Code.MOVES_USED_UP)
    ends_at = move_until(booking)
    if ends_at is None or now > ends_at:
        raise Refused(Code.MOVE_TOO_LATE)
    if link.spent_at is not None or link.expires_at is None or link.expires_at <= now:
        raise Refused(Code.LINK_EXPIRED)


def length_of(booking: Booking) -> timedelta:
    """How long the session is; a move keeps it."""
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    return booking.slot_end - booking.slot_start


def choices(booking: Booking, start: datetime, end: datetime, *, now: datetime) -> list[FreeSlot]:
    """What is offered to a visitor who moves this session, of what begins in `[start, end)`."""
    if booking.state != State.CONFIRMED:  # what is still to be paid online needs time for that
        start = max(start, now + policy.ONLINE_PAYMENT_NOTICE)
    found = free_slots(Search(start, end, mode=booking.mode, for_booking_id=booking.pk), now=now)
    was = (booking.psychologist_id, booking.slot_start)
    return [slot for slot in found if (slot.psychologist_id, slot.start) != was]


def _offered(booking: Booking, choice: Choice, *, now: datetime) -> FreeSlot | None:
    window = choice.slot_start, choice.slot_start + timedelta(seconds=1)
    found = choices(booking, *window, now=now)
    return next((slot for slot in found if slot.psychologist_id == choice.psychologist_id), None)


def relocate(
    booking: Booking, before: Psychologist, psychologist: Psychologist, slot: slots.Slot, *, actor: str, now: datetime
) -> None:
    """The move itself, and everybody who hears of it. The caller holds the locks and has settled the place.

    Refuses: slot_taken, month_not_sponsored.
    """
    assert booking.slot_start is not None
    sponsors.move(booking, slot.start)
    slots.move(booking, slot, now=now)
    details: dict[str, object] = {
        "from": booking.slot_start.isoformat(),
        "to": slot.start.isoformat(),
        "from_psychologist": before.pk,
        "to_psychologist": psychologist.pk,
    }
    booking.psychologist, booking.slot_start, booking.slot_end = psychologist, slot.start, slot.end
    booking.outcome = Outcome.UNRECORDED  # what was recorded is of the time before; the ledger keeps it
    _shorten_deadline(booking, now=now)
    note(booking, intent="reschedule", actor=actor, now=now, saving=SETTLED_BY_MOVE, details=details)
    _announce(booking, before, now=now)


def _shorten_deadline(booking: Booking, *, now: datetime) -> None:
    """The deadlines that depend on the slot; the time to pay is never longer for a move."""
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    if booking.state == State.CONFIRMED:
        booking.due_at = policy.completion(booking.slot_end)
        return
    assert booking.pay_by is not None
    assert booking.due_at is not None
    booking.pay_by = min(booking.pay_by, time_to_pay(booking, booking.slot_start, now=now))
    booking.due_at = min(booking.due_at, policy.payment_deadline(booking.pay_by, booking.slot_start))


def _announce(booking: Booking, before: Psychologist, *, now: datetime) -> None:
    """Both sides hear; links that spoke of the old time die; the reminders of the new time are owed."""
    links.end(booking, Purpose.CANCEL_LATE, Purpose.RESCHEDULE, now=now)
    tell_visitor(booking, Notice.BOOKING_MOVED, now=now)
    if booking.state != State.CONFIRMED:
        return
    owe_reminders(booking, now=now)
    if before.pk != booking.psychologist_id:
        tell_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, now=now, who=before)
        tell_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, now=now)
    else:
        tell_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_MOVED, now=now)
