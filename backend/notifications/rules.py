"""Every notice on one page: the states in which it is true, what else must hold, and what it then says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backend.bookings.intents import Intent
from backend.bookings.machine import ACTIVE, AWAITS_PAYMENT, HOLDS_SLOT, Reason, State
from backend.bookings.notices import Notice
from backend.notifications import calendar_context, conditions, money_context, staff_context, visitor_context
from backend.notifications.notification_context import Condition, ContextBuilder, NotificationContext
from backend.notifications.present_state import present_state
from backend.notifications.receipts import attached_receipt


@dataclass(frozen=True)
class NoticeRule:
    """A notice is true in these states when all its `conditions` hold; `context` is what it then says.

    One about several bookings is asked of each, and `shared` is what it says once.
    """

    states: tuple[State, ...]
    conditions: tuple[Condition, ...]
    context: tuple[ContextBuilder, ...]
    shared: tuple[ContextBuilder, ...] = ()

    def is_true(self, notification: NotificationContext) -> bool:
        """Whether the notice is true now."""
        return notification.booking.state in self.states and all(is_true(notification) for is_true in self.conditions)


PROVED = tuple(state for state in State if state != State.DRAFT)
TIMED_OUT = (State.CANCELLED, State.PAYMENT_FAILED)

_not_to_choose = conditions.none_since(Intent.OFFER_CHOICE)
_visitor_asks = conditions.none_since(Intent.REQUEST_CANCELLATION)
_called_off = conditions.closed_because(Reason.BY_VISITOR, Reason.CANCELLED_LATE, Reason.BY_STAFF)
_session = (visitor_context.proved_visitor, visitor_context.session)
_in_series = (visitor_context.reference, visitor_context.session)
_confirmation = NoticeRule(
    (State.CONFIRMED,),
    (conditions.end_ahead, conditions.time_stands, conditions.still_confirmed),
    (
        *_session,
        visitor_context.movable,
        money_context.payment_summary,
        money_context.refund_terms,
        attached_receipt,
        calendar_context.visitors_entry,
    ),
)
_reminder = NoticeRule(
    (State.CONFIRMED,),
    (conditions.start_ahead, conditions.time_stands, conditions.still_confirmed, conditions.consent_stands),
    (*_session, money_context.payment_summary, money_context.refund_terms),
)
_choice = NoticeRule(
    HOLDS_SLOT,
    (conditions.choice_ahead, conditions.time_stands),
    (*_session, visitor_context.choice, money_context.refund_terms),
)
_last_reminder = replace(_reminder, context=(*_session, money_context.payment_summary))
_request = NoticeRule(
    (State.PENDING,),
    (),
    (visitor_context.request_details, staff_context.booking_reference, staff_context.request_urgency),
)

# What these look at is no booking of the mail, nor what hangs on it
BEYOND = {
    conditions.never_proved,
    conditions.no_newer_booking,
    conditions.newest_request,
    visitor_context.alternatives,
    staff_context.lost_session,
}

RULES = {
    # to the visitor: the request
    Notice.DRAFT_SUBMITTED: NoticeRule((State.DRAFT,), (conditions.deadline_ahead,), (visitor_context.unproved,)),
    Notice.DRAFT_STILL_UNVERIFIED: NoticeRule(
        (State.DRAFT,), (conditions.deadline_ahead, conditions.consent_stands), (visitor_context.unproved,)
    ),
    Notice.DRAFT_LAPSED: NoticeRule((State.CANCELLED,), (conditions.never_proved,), (visitor_context.unproved,)),
    Notice.ALREADY_BOOKED: NoticeRule(ACTIVE, (), (visitor_context.proved_visitor,)),
    Notice.LINK_REQUESTED: NoticeRule(
        PROVED,
        (conditions.proved, conditions.link_readable, conditions.time_stands),  # the move's own has links that work
        (visitor_context.proved_visitor, visitor_context.kept, visitor_context.own_data, present_state),
    ),
    Notice.BOOKING_RECEIVED: NoticeRule(
        (State.PENDING,), (), (visitor_context.proved_visitor, visitor_context.request_details)
    ),
    Notice.ANSWER_LATE: NoticeRule(
        (State.PENDING,),
        (conditions.deadline_ahead,),
        (visitor_context.proved_visitor, visitor_context.request_details),
    ),
    Notice.BOOKING_UNANSWERED: NoticeRule(
        (State.CANCELLED,),
        (conditions.closed_because(Reason.UNANSWERED), conditions.no_newer_booking, conditions.again_link_ahead),
        (visitor_context.proved_visitor, visitor_context.again_link),
    ),
    Notice.BOOKING_REJECTED: NoticeRule(
        (State.REJECTED,), (), (visitor_context.proved_visitor, visitor_context.note, visitor_context.alternatives)
    ),
    # to the visitor: the payment
    Notice.BOOKING_APPROVED: NoticeRule(
        AWAITS_PAYMENT,
        (conditions.time_stands,),
        (*_session, visitor_context.session_origin, visitor_context.movable, money_context.amount_due),
    ),  # else the move's own says it
    Notice.PAYMENT_STILL_DUE: NoticeRule(
        (State.APPROVED,),
        (conditions.pay_by_ahead, _not_to_choose, conditions.consent_stands),
        (*_session, money_context.amount_due),
    ),  # not while an attempt is open: its own end speaks next
    Notice.PAYMENT_ATTEMPT_FAILED: NoticeRule(
        (State.APPROVED,),
        (conditions.pay_by_ahead, _not_to_choose, conditions.none_since(Intent.START_PAYMENT)),
        (*_session, money_context.amount_due, money_context.failed_attempt),
    ),
    Notice.PAYMENT_TIMED_OUT: NoticeRule(
        TIMED_OUT,
        (conditions.closed_because(Reason.PAYMENT_TIMED_OUT),),
        (visitor_context.proved_visitor, visitor_context.held_time),
    ),
    Notice.PAYMENT_RECEIVED: NoticeRule(
        (*HOLDS_SLOT, State.COMPLETED),
        (conditions.payment_stands,),
        (visitor_context.proved_visitor, money_context.received_payment, attached_receipt),
    ),
    Notice.PAYMENT_VOIDED: NoticeRule(
        HOLDS_SLOT,
        (conditions.end_ahead, conditions.time_stands, conditions.not_confirmed_since),
        (
            *_session,
            money_context.amount_due_or_paid,
            money_context.voided_payment,
            attached_receipt,
            calendar_context.visitors_entry_voided,
        ),
    ),
    Notice.LATE_PAYMENT_BOOKED: _confirmation,
    Notice.PAYMENT_RETURNED: NoticeRule(
        PROVED, (conditions.payment_recorded,), (visitor_context.proved_visitor, money_context.returned_payment)
    ),
    # to the visitor: the session
    Notice.BOOKING_CONFIRMED: _confirmation,
    Notice.BOOKING_MOVED: NoticeRule(
        HOLDS_SLOT,
        (conditions.end_ahead, conditions.time_stands),
        (
            *_session,
            visitor_context.previous_time,
            visitor_context.movable,
            money_context.amount_due_or_paid,
            money_context.refund_terms,
            calendar_context.visitors_entry,
        ),
    ),
    Notice.CHOICE_OFFERED: _choice,
    Notice.CHOICE_STILL_OPEN: replace(_choice, conditions=(*_choice.conditions, conditions.consent_stands)),
    Notice.SESSION_APPROACHING: _reminder,
    Notice.SESSION_IMMINENT: _last_reminder,
    # to the visitor: several sessions
    Notice.SERIES_BOOKED: NoticeRule(
        HOLDS_SLOT,
        (conditions.end_ahead, conditions.time_stands),
        (*_in_series, visitor_context.movable, money_context.amount_due_or_paid, calendar_context.visitors_entry),
        shared=(visitor_context.proved_visitor,),
    ),
    Notice.SERIES_MOVED: NoticeRule(
        HOLDS_SLOT,
        (conditions.end_ahead, conditions.time_stands),
        (
            *_in_series,
            visitor_context.previous_time,
            visitor_context.movable,
            money_context.amount_due_or_paid,
            money_context.refund_terms,
            calendar_context.visitors_entry,
        ),
        shared=(visitor_context.proved_visitor,),
    ),
    Notice.SERIES_CANCELLED: NoticeRule(
        (State.CANCELLED,),
        (_called_off,),
        (
            visitor_context.reference,
            visitor_context.cancelled_session,
            money_context.cancellation_refund,
            calendar_context.visitors_entry_gone,
        ),
        shared=(visitor_context.proved_visitor,),
    ),
    # to the visitor: calling off, and money that goes back
    Notice.CANCELLATION_REQUESTED: NoticeRule(
        ACTIVE,
        (conditions.cancellation_asked, conditions.newest_request, conditions.cancel_link_ahead),
        (
            visitor_context.proved_visitor,
            visitor_context.held_time,
            visitor_context.cancel_link,
            money_context.promised_refund,
        ),
    ),
    Notice.CANCELLATION_LAPSED: NoticeRule(
        ACTIVE,
        (_visitor_asks, _not_to_choose),
        (visitor_context.proved_visitor, visitor_context.held_time, visitor_context.stands),
    ),
    Notice.BOOKING_CANCELLED: NoticeRule(
        (State.CANCELLED,),
        (_called_off,),
        (
            visitor_context.proved_visitor,
            visitor_context.cancelled_session,
            money_context.cancellation_refund,
            calendar_context.visitors_entry_gone,
        ),
    ),
    Notice.REFUND_QUEUED: NoticeRule(
        PROVED,
        (conditions.refund_owed, conditions.not_refused_since),
        (visitor_context.proved_visitor, money_context.refund),
    ),
    Notice.REFUND_MADE: NoticeRule(
        PROVED, (conditions.refund_made,), (visitor_context.proved_visitor, money_context.refund, attached_receipt)
    ),
    # to staff
    Notice.STAFF_BOOKING_RECEIVED: _request,
    Notice.STAFF_BOOKING_WAITING: _request,
    Notice.MANAGER_BOOKING_OVERDUE: _request,
    Notice.STAFF_CANCELLATION_REQUESTED: NoticeRule(
        ACTIVE,
        (conditions.cancellation_asked, _visitor_asks),
        (visitor_context.held_time, staff_context.booking_reference, staff_context.cancellation_request),
    ),
    Notice.STAFF_REFUND_DUE: NoticeRule(
        PROVED, (conditions.refund_owed,), (staff_context.booking_reference, money_context.refund_by_hand)
    ),
    Notice.STAFF_UNEXPECTED_MONEY: NoticeRule(
        PROVED, (conditions.payment_recorded,), (staff_context.booking_reference, money_context.unexpected_payment)
    ),
    # to the psychologist
    Notice.PSYCHOLOGIST_SESSION_CONFIRMED: NoticeRule(
        (State.CONFIRMED,),
        (conditions.end_ahead, conditions.time_stands, conditions.still_confirmed),
        (visitor_context.session, staff_context.booking_reference, calendar_context.psychologists_entry),
    ),
    Notice.PSYCHOLOGIST_SESSION_UNCONFIRMED: NoticeRule(
        (*AWAITS_PAYMENT, *TIMED_OUT),
        (conditions.not_confirmed_since,),
        (
            staff_context.unconfirmed_session,
            staff_context.booking_reference,
            calendar_context.psychologists_entry_voided,
        ),
    ),
    Notice.PSYCHOLOGIST_SESSION_MOVED: NoticeRule(
        (State.CONFIRMED,),
        (conditions.end_ahead, conditions.time_stands, conditions.still_confirmed),
        (
            visitor_context.session,
            visitor_context.previous_time,
            staff_context.booking_reference,
            calendar_context.psychologists_entry,
        ),
    ),
    Notice.PSYCHOLOGIST_CHOICE_OFFERED: NoticeRule(
        (State.CONFIRMED,),
        (conditions.choice_ahead, conditions.time_stands),
        (visitor_context.session, visitor_context.choice, staff_context.booking_reference),
    ),
    Notice.PSYCHOLOGIST_SESSION_CANCELLED: NoticeRule(
        (*HOLDS_SLOT, State.COMPLETED, State.CANCELLED, State.PAYMENT_FAILED),  # a payment may be taken back meanwhile
        (conditions.taken_from_them,),
        (staff_context.lost_session, staff_context.booking_reference),
    ),
}
for _one, _all in {
    Notice.PSYCHOLOGIST_SESSION_CONFIRMED: Notice.PSYCHOLOGIST_SERIES_CONFIRMED,
    Notice.PSYCHOLOGIST_SESSION_MOVED: Notice.PSYCHOLOGIST_SERIES_MOVED,
    Notice.PSYCHOLOGIST_SESSION_CANCELLED: Notice.PSYCHOLOGIST_SERIES_CANCELLED,
}.items():
    RULES[_all] = replace(RULES[_one], shared=(staff_context.booking_reference,))

# What a mail promises: facts that its reader acts on, and that an intent can change while the notice stays true. A mail
# that may have left with another word is not repeated; another takes its place (`lifecycle.renewal`). Left out:
# - what nothing changes: the refund's sum, who asked and when, until when a link works;
# - what changes with the session alone (`movable`, `terms.refund_until`): all that speaks of it the move overtakes;
# - what says itself when it was written (`returned`, `unexpected`), or was said of the step alone (`settlement`);
# - `alternatives`: the mail says that nobody holds them;
# - `terms.stays`: that cancelling brings no refund stays so when staff give back a part of their own accord.
PROMISED: dict[ContextBuilder, tuple[str, ...]] = {
    visitor_context.unproved: ("confirm_by",),
    visitor_context.request_details: ("answer_by",),
    visitor_context.kept: ("readable_until",),
    present_state: (
        "is_session",
        "answer_by",
        "psychologist",
        "starts_at",
        "ends_at",
        "place",
        "pay_by",
        "money",
        "amount",
        "comes_back",
        "choose_by",
    ),
    visitor_context.session: ("psychologist", "starts_at", "ends_at", "place"),
    visitor_context.held_time: ("starts",),
    visitor_context.stands: ("is_session", "is_confirmed", "choose_by"),
    money_context.amount_due: ("pay_by", "amount"),
    money_context.payment_summary: ("money", "amount"),
    money_context.amount_due_or_paid: ("pay_by", "money", "amount"),
    money_context.received_payment: ("pay_by", "left"),
    money_context.refund_terms: ("comes_back",),
    money_context.promised_refund: ("promised", "stays", "is_unpaid"),
    money_context.refund: ("refund_way",),
    money_context.refund_by_hand: ("refund_way",),
    staff_context.cancellation_request: ("state",),
}


def is_of_its_bookings_alone(notice: Notice) -> bool:
    """Whether a notice is true, and what it says, is known by its bookings and what hangs on them."""
    rule = RULES.get(notice)
    return rule is not None and BEYOND.isdisjoint((*rule.conditions, *rule.context, *rule.shared))
