"""Whose turn it is with a booking, as a code for programs and a sentence for its visitor: one place of these words."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.bookings.machine import AWAITS_PAYMENT, TAKES_PLACE, Reason, State
from backend.bookings.models import Booking
from backend.bookings.payment_status import PaymentStatus
from backend.core import formatting


class NextStep(StrEnum):
    """In life-cycle order. Clients branch on them, so a word is never renamed."""

    WAIT_FOR_ANSWER = "wait_for_answer"
    PAY = "pay"
    PAY_THE_REST = "pay_the_rest"
    FINISH_PAYMENT = "finish_payment"
    CHOOSE_ANOTHER_TIME = "choose_another_time"
    PAY_AT_PRACTICE = "pay_at_practice"
    PAY_THE_REST_AT_PRACTICE = "pay_the_rest_at_practice"
    COME = "come"
    NOTHING = "nothing"
    BOOK_AGAIN = "book_again"


_BY_STATE = {
    State.PENDING: NextStep.WAIT_FOR_ANSWER,
    State.APPROVED: NextStep.PAY,
    State.PAYMENT_PENDING: NextStep.FINISH_PAYMENT,
    State.CONFIRMED: NextStep.COME,
    State.COMPLETED: NextStep.NOTHING,
}
_SENTENCES: dict[NextStep, str | Promise] = {
    NextStep.WAIT_FOR_ANSWER: _("We are looking at your request and will write to you."),
    NextStep.PAY: _("Please pay by {pay_by} to confirm your session."),
    NextStep.PAY_THE_REST: _("Please pay the rest by {pay_by} to confirm your session."),
    NextStep.FINISH_PAYMENT: _("Please finish your payment by {pay_by}."),
    NextStep.CHOOSE_ANOTHER_TIME: _(
        "We cannot hold your session at its time. Please choose another by {choose_by}, with the link in our email; "
        "otherwise the session is cancelled and what you paid comes back."
    ),
    NextStep.PAY_AT_PRACTICE: _("Your session is confirmed. Please pay at the practice."),
    NextStep.PAY_THE_REST_AT_PRACTICE: _("Your session is confirmed. Please pay the rest at the practice."),
    NextStep.COME: _("Your session is confirmed. We look forward to meeting you."),
    NextStep.NOTHING: _("Your session has taken place."),
}
_CLOSED: dict[State, str | Promise] = {
    State.REJECTED: _("We could not offer this session."),
    State.CANCELLED: _("This booking is closed. You can book again at any time."),
    State.PAYMENT_FAILED: _("The payment did not arrive in time. You can book again at any time."),
}
_CLOSED_BY: dict[str, str | Promise] = {
    Reason.UNANSWERED: _("We did not answer your request in time, and are sorry. You can ask again at any time."),
    Reason.PAYMENT_TIMED_OUT: _CLOSED[State.PAYMENT_FAILED],
}


def next_step(booking: Booking, money: PaymentStatus) -> NextStep:
    """What happens now. A choice that is open comes first: nobody is to pay or come meanwhile."""
    if booking.choose_by is not None:
        return NextStep.CHOOSE_ANOTHER_TIME
    state, is_part_paid = State(booking.state), money is PaymentStatus.PART_PAID
    if state == State.APPROVED and is_part_paid:
        return NextStep.PAY_THE_REST
    if state == State.CONFIRMED and is_part_paid:
        return NextStep.PAY_THE_REST_AT_PRACTICE
    if state == State.CONFIRMED and money is PaymentStatus.DUE_AT_PRACTICE:
        return NextStep.PAY_AT_PRACTICE
    return _BY_STATE.get(state, NextStep.BOOK_AGAIN)


def sentence(step: NextStep, booking: Booking) -> str:
    """What its visitor reads, times in the practice's zone."""
    words = str(_SENTENCES.get(step) or _CLOSED_BY.get(booking.reason) or _CLOSED[State(booking.state)])
    if "{" not in words:
        return words
    return words.format(pay_by=_read(booking.pay_by), choose_by=_read(booking.choose_by))


def announced_deadline(booking: Booking) -> datetime | None:
    """Until when this state lasts at most, as people are told: `pay_by` without the grace that `due_at` then holds."""
    if booking.choose_by is not None:
        return booking.choose_by
    return booking.pay_by if booking.state in AWAITS_PAYMENT else booking.due_at


def step_deadline(booking: Booking) -> datetime | None:
    """Until when the next step is to be taken, by them or by us: of a session that is settled its start."""
    if booking.state in TAKES_PLACE and booking.choose_by is None:
        return booking.slot_start if booking.state == State.CONFIRMED else None
    return announced_deadline(booking)


def _read(at: datetime | None) -> str:
    return "" if at is None else formatting.day_and_time(at)
