"""What a reader was told of a deadline or of money is so, or another mail is owed: written down from the design."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from backend.core import formatting
from tests.model.invariants import HOLDS_SLOT
from tests.model.snapshot import Row, Snapshot

ANEW = "anew:"
# the deadline of a state, what a mail calls it, and the mails to the visitor that name it
DEADLINES = {
    "DRAFT": ("due_at", "confirm_by", ("draft_submitted", "draft_still_unverified")),
    "PENDING": ("due_at", "answer_by", ("booking_received", "answer_late")),
    "APPROVED": (
        "pay_by",
        "pay_by",
        (
            *("booking_approved", "booking_moved", "payment_still_due", "payment_attempt_failed"),
            *("payment_received", "payment_voided"),
        ),
    ),
}
REMINDERS = ("draft_still_unverified", "answer_late", "payment_still_due")
PROMISE = ("cancellation_requested",)


class Step(Protocol):
    """One new ledger row between two pictures."""

    before: Snapshot
    after: Snapshot
    entry: Row
    booking: Row
    now: datetime


def check(picture: Snapshot, *, now: datetime) -> None:
    """Raises AssertionError when somebody is left with a deadline that has moved, or is reminded of it too late."""
    for booking in picture.bookings.values():
        if booking.state not in DEADLINES or booking.choose_by is not None:  # nothing is to be paid meanwhile
            continue
        column, fact, kinds = DEADLINES[booking.state]
        deadline = getattr(booking, column)
        mails = [m for m in picture.owed_about(booking.id) if m.kind in kinds]
        told = [m for m in mails if m.may_have_left and m.context and m.recipient == booking.email]
        if told and deadline > now:
            said = told[-1].context.get(fact)  # a move that was told while nothing was due names no deadline
            is_so = said == formatting.day_and_time(deadline) and _is_the_rest(picture, booking, told[-1])
            owed = [m for m in mails if m.state in ("waiting", "dead", "unknown") and not _is_planned(m, now)]
            assert is_so or owed, f"{told[-1].kind} said {told[-1].context}, and nobody says otherwise: {booking}"
        for mail in (mail for mail in mails if mail.kind in REMINDERS):
            is_planned = mail.state == "waiting" and not mail.may_have_left and mail.not_before > now
            assert not is_planned or mail.not_before < deadline, f"reminds too late: {mail} of {booking}"


def _is_the_rest(picture: Snapshot, booking: Row, told: Row) -> bool:
    """Whether the sum that was asked for is what is left to pay."""
    said = told.context.get("amount")
    return said is None or said == formatting.grouped_rupees(picture.rest(booking.id))


def _is_planned(message: Row, now: datetime) -> bool:
    """For later: who has been told something else is not left with it till then."""
    is_reminder = message.kind in REMINDERS and not message.dedupe_key.startswith(ANEW)
    return is_reminder and message.not_before > now


def renewed(before: Snapshot, after: Snapshot) -> set[int]:
    """New rows that take the place of others. Raises AssertionError when that was not called for."""
    found = set()
    for message in after.messages.values():
        if message.id not in before.messages and message.dedupe_key.startswith(ANEW):
            number, _, of_one = message.dedupe_key.removeprefix(ANEW).partition(":")
            was = before.messages[int(number)]
            if of_one:
                was = next(m for m in before.owed_about(message.booking_id) if m.id == was.id)
            assert was.may_have_left, f"surely not left, and yet owed anew: {was}"
            assert _subject(message) == _subject(was), f"{message} takes the place of {was}"
            links = [link.purpose for link in after.links.values() if link.message_uuid == message.uuid]
            old = [link.purpose for link in after.links.values() if link.message_uuid == was.uuid]
            if message.kind == "link_requested":  # it brings what the booking's state owes by now
                holds = after.bookings[message.booking_id].state in HOLDS_SLOT
                old = ["booking", *(["cancel_late", "reschedule"] if holds else []), "data"]
            assert links == old, f"carries {links}, not {old}: {message}"
            found.add(message.id)
    return found


def check_step(step: Step) -> None:
    """Raises AssertionError when a visitor who was told of what has changed is not told anew, or is without need."""
    kinds = _told_anew_by(step)
    booking = step.before.bookings.get(step.booking.id)
    if booking is None:
        return
    mails = [
        message
        for message in step.before.owed_about(booking.id)
        if message.recipient == booking.email
        and message.kind in kinds
        and (message.may_have_left or (message.state == "waiting" and message.not_before <= step.now))
    ]
    last = mails[-1] if mails else None
    wanted = last is not None and last.may_have_left
    keys = (f"{ANEW}{last.id}", f"{ANEW}{last.id}:{booking.id}") if last is not None else ()
    assert not wanted or any(m.dedupe_key in keys for m in step.after.messages.values()), f"not told anew: {last}"


def _told_anew_by(step: Step) -> tuple[str, ...]:
    entry, booking = step.entry, step.booking
    if entry.intent == "extend_deadline":
        column, _, kinds = DEADLINES[entry.source]
        return kinds if getattr(booking, column) > step.now else ()
    is_part = entry.intent == "record_desk_payment" and not step.after.paid(booking.id)
    changes_refund = is_part or entry.intent in ("grant_refund", "refund_refused", "void_desk_payment")
    if changes_refund and booking.cancellation_requested_at is not None:
        return PROMISE
    return ()


def _subject(message: Row) -> tuple[object, ...]:
    return message.kind, message.recipient, message.booking_id, message.ledger_sequence, message.created_at
