"""What follows from an act of staff, in plain lines: said from the rows that the act writes when it is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from backend.bookings.lifecycle.preview import BookingChange
from backend.bookings.machine import TAKES_PLACE, State
from backend.bookings.models import Booking, SlotClaim
from backend.bookings.notices import can_be_told
from backend.bookings.refusals import staff_sentence
from backend.core.errors import Refused
from backend.core.formatting import money, short_day_and_time
from backend.desk.result import going_back, mail
from backend.outbox import closed_mailboxes
from backend.outbox.models import MessageState, Queue
from backend.payments.models import PaymentMethod, PaymentState, RefundState

NO_MAIL = "Nobody is mailed."
NO_MONEY = "None moves."
MEND = "This cannot be done as it is. Mend what is marked, then see what follows."
_TO_PAY = (State.APPROVED, State.PAYMENT_PENDING)


class Consequences(NamedTuple):
    """A word and its lines each; where nothing can be foretold yet, what is to be done about that."""

    lines: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unknown: str = ""


def not_yet(asks: str) -> Consequences:
    """The form is not filled in."""
    return Consequences(unknown=asks)


def refused(refusal: Refused, booking: Booking | None = None) -> Consequences:
    """It was tried, and refused."""
    return Consequences(unknown=f"As it stands, this is refused. {staff_sentence(refusal, booking)}")


def told(change: BookingChange) -> Consequences:
    """All that was written."""
    about: tuple[tuple[str, Callable[[BookingChange], Iterator[str]], str], ...] = (
        ("Booking", _booking, ""),
        ("Slot", _slot, ""),
        ("Mail", _mails, NO_MAIL),
        ("Money", _money, NO_MONEY),
    )
    found = ((name, tuple(tell(change)) or (otherwise,)) for name, tell, otherwise in about)
    return Consequences(tuple((name, lines) for name, lines in found if lines != ("",)))


def _booking(change: BookingChange) -> Iterator[str]:
    before, after = change.before, change.after
    was = before.state if before else None
    yield f"It {'stays' if was == after.state else 'is then'} {after.get_state_display()}."
    if before is None or (before.due_at, before.state) != (after.due_at, after.state):
        yield from _deadline(after)
    if before and before.moved_by_staff_at != after.moved_by_staff_at:
        yield "The visitor may then cancel until the session starts, and gets back all that was paid."
    if after.choose_by and not (before and before.choose_by):
        until = short_day_and_time(after.choose_by)
        yield f"It waits for the visitor's choice of another time until {until}, else it is cancelled, all money back."
    if before and before.choose_by and not after.choose_by:
        yield "It no longer waits for the visitor's choice of another time."
    if before and before.outcome != after.outcome:
        yield f"Its outcome is then: {after.get_outcome_display()}."


def _deadline(booking: Booking) -> Iterator[str]:
    if booking.state == State.PENDING:
        yield f"To be answered by {short_day_and_time(booking.due_at)}, else it lapses with an apology."
    elif booking.state in _TO_PAY:
        yield f"To be paid by {short_day_and_time(booking.pay_by)}, else the slot is given back."
    elif booking.state == State.CONFIRMED:
        yield f"It counts as completed from {short_day_and_time(booking.due_at)}."


def _slot(change: BookingChange) -> Iterator[str]:
    before, after = change.claim_before, change.claim_after
    if _held(before) != _held(after):
        if before:
            yield f"Given back: {before.psychologist}, {short_day_and_time(before.blocked_from)}."
        if after:
            until = short_day_and_time(after.blocked_until)
            yield f"Held: {after.psychologist}, {short_day_and_time(after.blocked_from)}, with the pause until {until}."
    for offer in change.alternatives:
        price = money(offer.amount_paise)
        yield f"Offered, and held by nobody: {offer.psychologist}, {short_day_and_time(offer.slot_start)}, {price}."


def _held(claim: SlotClaim | None) -> tuple[object, ...]:
    return (claim.psychologist_id, claim.blocked_from, claim.blocked_until) if claim else ()


def _mails(change: BookingChange) -> Iterator[str]:
    booking = change.after
    closed = closed_mailboxes.concerning(booking.email, proved_at=booking.verified_at)
    if closed is not None:
        yield f"Mail does not reach {booking.email} ({closed.get_why_display().lower()}): ring the visitor."
    for message in change.messages:
        if message.queue == Queue.MAIL and message.state == MessageState.WAITING:
            is_told = closed is not None and message.recipient == booking.email and can_be_told(message.kind)
            yield mail(message, by_telephone=is_told)


def _money(change: BookingChange) -> Iterator[str]:
    before, after = change.before, change.after
    yield from _payments(change)
    yield from _refunds(change)
    yield from _sponsor(change)
    was = before.state if before else None
    if after.state == State.APPROVED and was != State.APPROVED:
        yield f"The visitor is asked for {money(change.outstanding_paise)}."
    if after.state == State.CONFIRMED and was != State.CONFIRMED and after.corporate is None and not change.payments:
        nothing = after.amount_paise == 0
        yield "Nothing is to be paid." if nothing else f"{money(after.amount_paise)} is due at the practice."
    if after.state == State.CANCELLED and was != State.CANCELLED and change.left_paise:
        yield f"{money(change.left_paise)} stays with the practice."


def _payments(change: BookingChange) -> Iterator[str]:
    for payment in change.payments:
        if payment.state == PaymentState.CAPTURED and payment.method == PaymentMethod.DESK:
            yield f"You record that {money(payment.captured_paise)} was handed to you."
            if change.outstanding_paise:
                yield f"{money(change.outstanding_paise)} is left to pay."
        elif payment.state == PaymentState.VOIDED:
            yield f"You take back that {money(payment.captured_paise)} was handed to you; no money moves."
            if change.after.state in TAKES_PLACE:
                yield f"{money(change.outstanding_paise)} is due at the practice."
        elif payment.state == PaymentState.IDLE:
            yield "The open online attempt ends; money that still comes of it goes back by itself."


def _refunds(change: BookingChange) -> Iterator[str]:
    for refund in change.refunds:
        if refund.state == RefundState.DONE:
            yield f"You record that {money(refund.amount_paise)} reached the visitor; no money moves by itself."
        else:
            yield going_back(refund)


def _sponsor(change: BookingChange) -> Iterator[str]:
    before, after = change.before, change.after
    sponsor = before.corporate if before else None
    if after.state == State.PENDING:
        if after.corporate != sponsor:
            yield f"{after.corporate} is asked at approval." if after.corporate else "No sponsor: the visitor pays."
        return
    if sponsor and not after.corporate:
        yield f"{sponsor} does not cover the session: the visitor pays."
    if after.corporate and after.sponsored_month and _allowance(before) != _allowance(after):
        month = f"{after.sponsored_month:%B %Y}"
        if after.sponsorship_returned_at:
            yield f"{after.corporate} has one session of {month} back."
        else:
            yield f"{after.corporate} pays: one session is taken from what it has left for {month}."


def _allowance(booking: Booking | None) -> tuple[object, ...]:
    return (booking.sponsored_month, booking.sponsorship_returned_at) if booking else (None, None)
