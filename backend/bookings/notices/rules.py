"""Every notice on one page: the states in which it is true, what else must hold, and what it then says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backend.bookings.machine import ACTIVE, HOLDS_SLOT, Notice, Reason, State
from backend.bookings.notices import desk, facts, money, truth
from backend.bookings.notices.occasion import Occasion, Saying, Truth


@dataclass(frozen=True)
class Rule:
    """A notice is true in these states when all of `also` hold, and then says these things."""

    states: tuple[State, ...]
    also: tuple[Truth, ...]
    says: tuple[Saying, ...]

    def holds(self, occasion: Occasion) -> bool:
        """Whether the notice is true now."""
        return occasion.booking.state in self.states and all(is_true(occasion) for is_true in self.also)


PROVED = tuple(state for state in State if state != State.DRAFT)
PAYING = money.PAYING
TIMED_OUT = (State.CANCELLED, State.PAYMENT_FAILED)

_visitor_asks = truth.none_since("request_cancellation")
_session = (facts.known, facts.session)
_confirmation = Rule(
    (State.CONFIRMED,), (truth.end_ahead, truth.unmoved), (*_session, facts.movable, money.money, money.terms)
)
_reminder = Rule((State.CONFIRMED,), (truth.start_ahead, truth.unmoved), (*_session, money.money, money.terms))
_last_reminder = replace(_reminder, says=(*_session, money.money))
_request = Rule((State.PENDING,), (), (facts.wish, desk.dossier, desk.pressing))

RULES = {
    # to the visitor: the request
    Notice.DRAFT_SUBMITTED: Rule((State.DRAFT,), (truth.deadline_ahead,), (facts.unproved,)),
    Notice.DRAFT_STILL_UNVERIFIED: Rule((State.DRAFT,), (truth.deadline_ahead,), (facts.unproved,)),
    Notice.DRAFT_LAPSED: Rule((State.CANCELLED,), (truth.never_proved,), (facts.unproved,)),
    Notice.ALREADY_BOOKED: Rule(ACTIVE, (), (facts.known,)),
    Notice.LINK_REQUESTED: Rule(PROVED, (truth.proved, truth.link_readable), (facts.known, facts.kept)),
    Notice.BOOKING_RECEIVED: Rule((State.PENDING,), (), (facts.known, facts.wish)),
    Notice.ANSWER_LATE: Rule((State.PENDING,), (truth.deadline_ahead,), (facts.known, facts.wish)),
    Notice.BOOKING_UNANSWERED: Rule(
        (State.CANCELLED,),
        (truth.because(Reason.UNANSWERED), truth.no_newer_booking, truth.again_link_ahead),
        (facts.known, facts.again),
    ),
    Notice.BOOKING_REJECTED: Rule((State.REJECTED,), (), (facts.known, facts.note, facts.alternatives)),
    # to the visitor: the payment
    Notice.BOOKING_APPROVED: Rule(
        PAYING, (truth.unmoved,), (*_session, facts.occasion_of, facts.movable, money.price)
    ),  # else the move's own says it
    Notice.PAYMENT_STILL_DUE: Rule(
        (State.APPROVED,), (truth.pay_by_ahead,), (*_session, money.price)
    ),  # not while an attempt is open: its own end speaks next
    Notice.PAYMENT_ATTEMPT_FAILED: Rule(
        (State.APPROVED,),
        (truth.pay_by_ahead, truth.none_since("start_payment")),
        (*_session, money.price, money.attempt),
    ),
    Notice.PAYMENT_TIMED_OUT: Rule(
        TIMED_OUT, (truth.because(Reason.PAYMENT_TIMED_OUT),), (facts.known, facts.held_time)
    ),
    Notice.LATE_PAYMENT_BOOKED: _confirmation,
    Notice.PAYMENT_RETURNED: Rule(PROVED, (truth.payment_recorded,), (facts.known, money.returned)),
    # to the visitor: the session
    Notice.BOOKING_CONFIRMED: _confirmation,
    Notice.BOOKING_MOVED: Rule(
        HOLDS_SLOT,
        (truth.end_ahead, truth.unmoved),
        (*_session, facts.moved, facts.movable, money.price_or_money, money.terms),
    ),
    Notice.SESSION_APPROACHING: _reminder,
    Notice.SESSION_IMMINENT: _last_reminder,
    # to the visitor: calling off, and money that goes back
    Notice.CANCELLATION_REQUESTED: Rule(
        ACTIVE,
        (truth.cancellation_asked, truth.newest_request, truth.cancel_link_ahead),
        (facts.known, facts.held_time, facts.cancel_link, money.promise),
    ),
    Notice.CANCELLATION_LAPSED: Rule(ACTIVE, (_visitor_asks,), (facts.known, facts.held_time)),
    Notice.BOOKING_CANCELLED: Rule(
        (State.CANCELLED,),
        (truth.because(Reason.BY_VISITOR, Reason.CANCELLED_LATE, Reason.BY_STAFF),),
        (facts.known, facts.called_off, money.settlement),
    ),
    Notice.REFUND_QUEUED: Rule(PROVED, (truth.refund_owed,), (facts.known, money.refund)),
    Notice.REFUND_MADE: Rule(PROVED, (truth.refund_made,), (facts.known, money.refund)),
    # to staff
    Notice.STAFF_BOOKING_RECEIVED: _request,
    Notice.STAFF_BOOKING_WAITING: _request,
    Notice.MANAGER_BOOKING_OVERDUE: _request,
    Notice.STAFF_CANCELLATION_REQUESTED: Rule(
        ACTIVE, (truth.cancellation_asked, _visitor_asks), (facts.held_time, desk.dossier, desk.asked_to_cancel)
    ),
    Notice.STAFF_REFUND_DUE: Rule(PROVED, (truth.refund_owed,), (desk.dossier, money.refund)),
    Notice.STAFF_UNEXPECTED_MONEY: Rule(PROVED, (truth.payment_recorded,), (desk.dossier, money.unexpected)),
    # to the psychologist
    Notice.PSYCHOLOGIST_SESSION_CONFIRMED: Rule(
        (State.CONFIRMED,), (truth.end_ahead, truth.unmoved), (facts.session, desk.dossier)
    ),
    Notice.PSYCHOLOGIST_SESSION_MOVED: Rule(
        (State.CONFIRMED,), (truth.end_ahead, truth.unmoved), (facts.session, facts.moved, desk.dossier)
    ),
    Notice.PSYCHOLOGIST_SESSION_CANCELLED: Rule(
        (State.CONFIRMED, State.COMPLETED, State.CANCELLED), (truth.taken_from_them,), (desk.taken_away, desk.dossier)
    ),
}
