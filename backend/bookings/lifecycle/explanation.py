"""A status that explains itself: why it is so, until when, what comes next, and what its visitor may do now.

Asks the rules that the intents ask, and so cannot promise what they refuse. It reads nothing but the booking and its
payments: where `payments__refunds` is loaded it costs no query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.bookings import next_steps
from backend.bookings.lifecycle.attempts import refuse_unless_payable
from backend.bookings.lifecycle.callers import require_address
from backend.bookings.lifecycle.cancellation import refuse_unless_cancellable, refuse_unless_mail_cancels
from backend.bookings.lifecycle.rescheduling import refuse_unless_mail_moves
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking
from backend.bookings.next_steps import NextStep
from backend.bookings.payment_status import PaymentStatus, payment_status
from backend.bookings.refund_policy import cancel_until, move_until
from backend.core.errors import hindrance

CALLED_OFF = "called_off"  # by somebody: whose wish it was is for those alone who hold the mailed link
_WHOSE_WISH = (Reason.BY_VISITOR, Reason.CANCELLED_LATE, Reason.BY_STAFF)


class VisitorAction(StrEnum):
    """What a visitor may do with a booking. Clients branch on them, so a word is never renamed."""

    PAY = "pay"
    CANCEL = "cancel"  # asked for on the site, proved by mail
    CANCEL_BY_MAIL = "cancel_by_mail"  # the link that the session's mails carry, until its start
    MOVE = "move"  # by the link in the session's mails; also the choice of another time that staff asked for
    SEND_LINK = "send_link"  # by mail, with all that the state allows


@dataclass(frozen=True)
class AllowedAction:
    """An action that its intent would accept now, and until when that holds at least; None: as long as this state."""

    action: VisitorAction
    until: datetime | None


@dataclass(frozen=True)
class Explanation:
    """`reason` is why it closed, or an attempt ended; "" for none. `deadline` is of the next step."""

    reason: str
    deadline: datetime | None
    next_step: NextStep
    sentence: str
    actions: tuple[AllowedAction, ...]
    money: PaymentStatus

    def allows(self, action: VisitorAction) -> bool:
        """Whether this action is among them."""
        return any(one.action is action for one in self.actions)


def explain(booking: Booking, *, now: datetime, by_token: bool) -> Explanation:
    """For whoever knows the id of a proved booking; `by_token` for who holds its mailed link, and may know more."""
    money = payment_status(booking)
    step = next_steps.next_step(booking, money)
    is_private = not by_token and booking.reason in _WHOSE_WISH
    return Explanation(
        reason=CALLED_OFF if is_private else booking.reason,
        deadline=next_steps.step_deadline(booking),
        next_step=step,
        sentence=next_steps.sentence(step, booking),
        actions=_allowed(booking, ALL if by_token else BY_ID, now=now),
        money=money,
    )


def _allowed(booking: Booking, offered: tuple[VisitorAction, ...], *, now: datetime) -> tuple[AllowedAction, ...]:
    asked = [action for action in offered if hindrance(_CHECKS[action], booking, now=now) is None]
    return tuple(AllowedAction(action, _UNTIL[action](booking)) for action in asked)


def _refuse_unless_mailed(booking: Booking, *, now: datetime) -> None:  # noqa: ARG001  # as its siblings are asked
    require_address(booking)


def _site_cancels_until(booking: Booking) -> datetime | None:
    return cancel_until(booking) if booking.state == State.CONFIRMED else None


def _moves_until(booking: Booking) -> datetime | None:
    return booking.choose_by or move_until(booking)


BY_ID = (VisitorAction.PAY, VisitorAction.CANCEL, VisitorAction.SEND_LINK)  # what needs no mailed link
ALL = tuple(VisitorAction)
_CHECKS: dict[VisitorAction, Callable[..., None]] = {
    VisitorAction.PAY: refuse_unless_payable,
    VisitorAction.CANCEL: refuse_unless_cancellable,
    VisitorAction.CANCEL_BY_MAIL: refuse_unless_mail_cancels,
    VisitorAction.MOVE: refuse_unless_mail_moves,
    VisitorAction.SEND_LINK: _refuse_unless_mailed,
}
_UNTIL: dict[VisitorAction, Callable[[Booking], datetime | None]] = {
    VisitorAction.PAY: lambda booking: booking.pay_by,
    VisitorAction.CANCEL: _site_cancels_until,
    VisitorAction.CANCEL_BY_MAIL: lambda booking: booking.slot_start,
    VisitorAction.MOVE: _moves_until,
    VisitorAction.SEND_LINK: lambda _booking: None,
}
