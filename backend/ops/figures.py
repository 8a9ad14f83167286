"""The business in numbers: bookings, what is overdue, mails, money. No ids and no data of persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Min

from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.ops.vitals import since
from backend.outbox.models import Message, Queue
from backend.payments.models import Payment, PaymentState, Refund, RefundState

MAILS_COUNTED_FOR = timedelta(days=1)


class Rule(StrEnum):
    """A deadline that a sweep keeps."""

    DRAFT_LAPSES = "draft_lapses"
    REQUEST_UNANSWERED = "request_unanswered"
    APPROVAL_UNPAID = "approval_unpaid"
    ATTEMPT_IDLE = "attempt_idle"
    SESSION_OVER = "session_over"
    CANCELLATION_UNPROVED = "cancellation_unproved"
    DRAFT_PURGED = "draft_purged"


RULE_OF = {
    State.DRAFT: Rule.DRAFT_LAPSES,
    State.PENDING: Rule.REQUEST_UNANSWERED,
    State.APPROVED: Rule.APPROVAL_UNPAID,
    State.PAYMENT_PENDING: Rule.ATTEMPT_IDLE,
    State.CONFIRMED: Rule.SESSION_OVER,
}


@dataclass(frozen=True)
class Overdue:
    """Bookings whose deadline has passed without its consequence."""

    rule: Rule
    count: int
    oldest_age: timedelta | None  # since the deadline


@dataclass(frozen=True)
class Mails:
    """Mails of one template that ended in one way within the last day."""

    template: str
    result: str
    count: int


@dataclass(frozen=True)
class Figures:
    """The practice's day in numbers."""

    bookings: dict[State, int]  # every state
    overdue: tuple[Overdue, ...]  # every rule
    mails: tuple[Mails, ...]
    payments_open: int
    oldest_payment_age: timedelta | None  # since the attempt began
    refunds_due: int
    oldest_refund_age: timedelta | None
    refunds_refused: int  # the gateway would not; staff must act


def read(*, now: datetime) -> Figures:
    """Seven queries."""
    counts = dict(Booking.objects.order_by().values_list("state").annotate(Count("pk")))
    refunds = {
        state: (count, oldest)
        for state, count, oldest in Refund.objects.exclude(state=RefundState.DONE)
        .order_by()
        .values_list("state")
        .annotate(Count("pk"), Min("queued_at"))
    }
    due, oldest_refund = refunds.get(RefundState.QUEUED, (0, None))
    attempts, begun = (
        Payment.objects.filter(state=PaymentState.OPEN).aggregate(n=Count("pk"), at=Min("started_at")).values()
    )
    return Figures(
        bookings={state: counts.get(state, 0) for state in State},
        overdue=_overdue(now),
        mails=_mails(now),
        payments_open=attempts,
        oldest_payment_age=since(begun, now),
        refunds_due=due,
        oldest_refund_age=since(oldest_refund, now),
        refunds_refused=refunds.get(RefundState.REFUSED, (0, None))[0],
    )


def _overdue(now: datetime) -> tuple[Overdue, ...]:
    passed = Booking.objects.filter(due_at__lte=now).order_by().values_list("state")
    found = {RULE_OF[State(state)]: (count, at) for state, count, at in passed.annotate(Count("pk"), Min("due_at"))}
    asked_by = now - policy.CANCEL_LINK_LIFETIME
    wishes = Booking.objects.filter(cancellation_requested_at__lte=asked_by)
    count, at = wishes.aggregate(n=Count("pk"), at=Min("cancellation_requested_at")).values()
    found[Rule.CANCELLATION_UNPROVED] = (count, at and at + policy.CANCEL_LINK_LIFETIME)
    closed_by = now - policy.DRAFT_PURGE_AFTER
    drafts = Booking.objects.filter(state=State.CANCELLED, verified_at=None, purged_at=None, closed_at__lte=closed_by)
    count, at = drafts.aggregate(n=Count("pk"), at=Min("closed_at")).values()
    found[Rule.DRAFT_PURGED] = (count, at and at + policy.DRAFT_PURGE_AFTER)
    return tuple(
        Overdue(rule, found.get(rule, (0, None))[0], since(found.get(rule, (0, None))[1], now)) for rule in Rule
    )


def _mails(now: datetime) -> tuple[Mails, ...]:
    """Settled within the day. None of them is blanked yet, which is the condition of the index that serves this."""
    rows = (
        Message.objects.filter(blanked_at=None, settled_at__gt=now - MAILS_COUNTED_FOR, queue=Queue.MAIL)
        .order_by()
        .values_list("kind", "state")
        .annotate(Count("pk"))
    )
    return tuple(Mails(*row) for row in sorted(rows))
