"""What an action will do, said before it is done: who is mailed what, and what money moves."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings

from backend.bookings import policy
from backend.bookings.machine import TAKES_PLACE, State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.bookings.payment_status import left_paise, paid_payment
from backend.core.formatting import short_span
from backend.desk.booking.refunds_to_settle import refunds_to_settle
from backend.desk.display import money
from backend.payments.models import PaymentMethod

NO_MAIL = ("Nobody is mailed.",)
NO_MONEY = "None moves."
_ATTEMPT = "The open online attempt ends; money that still comes of it goes back by itself."


class Consequences(NamedTuple):
    """One line a mail, and what money moves."""

    mails: tuple[str, ...]
    money: str


def approving(booking: Booking) -> Consequences:
    """Until a psychologist is chosen, the amount is not known; what is typed decides."""
    if booking.is_sponsored:
        mails = (
            *_confirmation(booking, "the psychologist"),
            "If the visitor has to pay, the approval's mails.",
        )
        return Consequences(mails, f"{NO_MONEY} One session is taken from what {booking.corporate} has left.")
    if booking.is_due_at_practice:
        return Consequences(_confirmation(booking, "the psychologist"), f"{NO_MONEY} Nothing is to be paid up front.")
    mails = (
        _mail(Notice.BOOKING_APPROVED, booking.email, "with the amount and the ways to pay"),
        _mail(Notice.PAYMENT_STILL_DUE, booking.email, "at half of the time to pay"),
        "With an amount of 0 the session is confirmed at once, and they read that instead.",
    )
    return Consequences(
        mails, f"The visitor is asked to pay within {short_span(policy.PAY_WITHIN)}, sooner for a near slot."
    )


def rejecting(booking: Booking) -> Consequences:
    mail = _mail(Notice.BOOKING_REJECTED, booking.email, "with your note and a link for each time that you offer")
    return Consequences((mail,), f"{NO_MONEY} Who takes an offered time is asked to pay like anybody else.")


def cancelling(booking: Booking) -> Consequences:
    mails, moves = calling_off(booking)
    return Consequences(mails, f"{moves}, unless you choose otherwise." if left_paise(booking) else moves)


def calling_off(booking: Booking) -> Consequences:
    """With all that was paid on its way back."""
    mails = [_mail(Notice.BOOKING_CANCELLED, booking.email, "with your note")]
    if booking.state == State.CONFIRMED and booking.psychologist:
        mails.append(_mail(Notice.PSYCHOLOGIST_SESSION_CANCELLED, booking.psychologist.email))
    left = left_paise(booking)
    if left == 0:
        return Consequences(tuple(mails), f"{NO_MONEY}{_if_paying(booking)}")
    return Consequences((*mails, *_refund_mails(booking)), _going_back(booking, left))


def moving(booking: Booking) -> Consequences:
    mails = [_mail(Notice.BOOKING_MOVED, booking.email)]
    if booking.state == State.CONFIRMED and booking.psychologist:
        mails += [
            _mail(Notice.PSYCHOLOGIST_SESSION_MOVED, booking.psychologist.email),
            f"With another psychologist, they read of a new session and {booking.psychologist} of a cancelled one.",
            *_reminders(booking),
        ]
    amount = f"The amount stays {money(booking.amount_paise)}; the time to pay never gets longer."
    return Consequences(
        tuple(mails), f"{NO_MONEY} {amount} The visitor may then cancel until the start, with a full refund."
    )


def paying_at_the_desk(booking: Booking) -> Consequences:
    received = f"You record that {money(booking.amount_paise)} were handed to you.{_if_paying(booking)}"
    if booking.state in TAKES_PLACE:
        return Consequences(NO_MAIL, received)
    return Consequences(_confirmation(booking, _psychologists_address(booking)), received)


def sponsoring(booking: Booking) -> Consequences:
    if booking.state == State.PENDING:
        more = "Approval takes the session from what the sponsor has left then, and asks the visitor for no payment."
        return Consequences(NO_MAIL, f"{NO_MONEY} {more}")
    not_asked = f"{NO_MONEY} The visitor is not asked for {money(booking.amount_paise)} any more.{_if_paying(booking)}"
    return Consequences(_confirmation(booking, _psychologists_address(booking)), not_asked)


def refunding(booking: Booking) -> Consequences:
    return Consequences(_refund_mails(booking), f"{_going_back(booking, left_paise(booking))}, or the part you type.")


def settling_refund(booking: Booking) -> Consequences:
    sums = " or ".join(money(refund.amount_paise) for refund in refunds_to_settle(booking))
    recorded = f"You record that {sums} reached the visitor; no money moves by itself."
    return Consequences((_mail(Notice.REFUND_MADE, booking.email),), recorded)


def recording_outcome(_booking: Booking) -> Consequences:
    return Consequences(NO_MAIL, NO_MONEY)


def _mail(notice: Notice, to: str, more: str = "") -> str:
    """`“booking cancelled” to asha@example.org, with your note`."""
    return f"“{notice.replace('_', ' ')}” to {to}" + (f", {more}" if more else "")


def _confirmation(booking: Booking, psychologist: str) -> tuple[str, ...]:
    return (
        _mail(Notice.BOOKING_CONFIRMED, booking.email),
        _mail(Notice.PSYCHOLOGIST_SESSION_CONFIRMED, psychologist),
        *_reminders(booking),
    )


def _reminders(booking: Booking) -> tuple[str, ...]:
    return tuple(
        _mail(notice, booking.email, f"{short_span(before)} before the session, if that is still ahead")
        for notice, before in (
            (Notice.SESSION_APPROACHING, policy.REMIND_FIRST),
            (Notice.SESSION_IMMINENT, policy.REMIND_LAST),
        )
    )


def _refund_mails(booking: Booking) -> tuple[str, ...]:
    mails = [_mail(Notice.REFUND_QUEUED, booking.email)]
    if _is_desk_money(booking):
        mails.append(_mail(Notice.STAFF_REFUND_DUE, settings.STAFF_INBOX))
    return (*mails, _mail(Notice.REFUND_MADE, booking.email, "once it is made"))


def _going_back(booking: Booking, paise: int) -> str:
    how = "are to be handed out at the desk" if _is_desk_money(booking) else "go back through the gateway"
    return f"{money(paise)} {how}"


def _is_desk_money(booking: Booking) -> bool:
    payment = paid_payment(booking)
    return payment is not None and payment.method == PaymentMethod.DESK


def _psychologists_address(booking: Booking) -> str:
    return booking.psychologist.email if booking.psychologist else "the psychologist"


def _if_paying(booking: Booking) -> str:
    return f" {_ATTEMPT}" if booking.state == State.PAYMENT_PENDING else ""
