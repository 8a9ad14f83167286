"""The business in numbers: bookings, what is overdue, mails, money. No ids and no data of persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.ops.compiled import Ago, Row, ask, compiled
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
    """Four queries, asked at once."""
    by_state, refund_rows, attempt_rows, mail_rows = ask(_by_state, _refunds, _attempts, _mails, now=now)
    bookings, overdue = _bookings(by_state, now)
    refunds = {state: counted for state, *counted in refund_rows}
    due, oldest_refund = refunds.get(RefundState.QUEUED, (0, None))
    refused, _ = refunds.get(RefundState.REFUSED, (0, None))
    [(n_attempts, begun_at)] = attempt_rows or [(0, None)]
    return Figures(
        bookings=bookings,
        overdue=overdue,
        mails=tuple(Mails(*row) for row in sorted(mail_rows)),
        payments_open=n_attempts,
        oldest_payment_age=since(begun_at, now),
        refunds_due=due,
        oldest_refund_age=since(oldest_refund, now),
        refunds_refused=refused,
    )


@compiled
def _refunds() -> QuerySet[Refund, Any]:
    rows = Refund.objects.exclude(state=RefundState.DONE).order_by().values_list("state")
    return rows.annotate(Count("pk"), Min("queued_at"))


@compiled
def _attempts() -> QuerySet[Payment, Any]:
    rows = Payment.objects.filter(state=PaymentState.OPEN).order_by().values("state")
    return rows.annotate(n=Count("pk"), begun=Min("started_at")).values_list("n", "begun")


@compiled
def _mails() -> QuerySet[Message, Any]:
    """Settled within the day. None of them is blanked yet, which is the condition of the index that serves this."""
    rows = Message.objects.filter(blanked_at=None, settled_at__gt=Ago(MAILS_COUNTED_FOR), queue=Queue.MAIL)
    return rows.order_by().values_list("kind", "state").annotate(Count("pk"))


def _bookings(rows: list[Row], now: datetime) -> tuple[dict[State, int], tuple[Overdue, ...]]:
    counts, late = dict.fromkeys(State, 0), {rule: Overdue(rule, 0, None) for rule in Rule}
    for name, count, n_passed, due_at, n_unproved, asked_at, n_lapsed, closed_at in rows:
        state = State(name)
        counts[state] = count
        if state in RULE_OF:
            late[RULE_OF[state]] = Overdue(RULE_OF[state], n_passed, since(due_at, now))
        if state == State.CANCELLED:
            purge_at = closed_at and closed_at + policy.DRAFT_PURGE_AFTER
            late[Rule.DRAFT_PURGED] = Overdue(Rule.DRAFT_PURGED, n_lapsed, since(purge_at, now))
        lapse_at = asked_at and asked_at + policy.CANCEL_LINK_LIFETIME
        late[Rule.CANCELLATION_UNPROVED] = _together(late[Rule.CANCELLATION_UNPROVED], n_unproved, since(lapse_at, now))
    return counts, tuple(late.values())


@compiled
def _by_state() -> QuerySet[Booking, Any]:
    """One query: counting the final ones reads the whole table anyway."""
    passed = Q(due_at__lte=Ago())
    unproved = Q(cancellation_requested_at__lte=Ago(policy.CANCEL_LINK_LIFETIME))
    lapsed = Q(verified_at=None, purged_at=None, closed_at__lte=Ago(policy.DRAFT_PURGE_AFTER))
    rows: QuerySet[Booking, Any] = Booking.objects.order_by().values_list("state")
    return rows.annotate(
        Count("pk"),
        passed=Count("pk", filter=passed), due=Min("due_at", filter=passed),
        unproved=Count("pk", filter=unproved), asked=Min("cancellation_requested_at", filter=unproved),
        lapsed=Count("pk", filter=lapsed), closed=Min("closed_at", filter=lapsed),
    )  # fmt: skip


def _together(sum_so_far: Overdue, count: int, age: timedelta | None) -> Overdue:
    """A rule that more than one state has to keep."""
    ages = [known for known in (sum_so_far.oldest_age, age) if known is not None]
    return Overdue(sum_so_far.rule, sum_so_far.count + count, max(ages, default=None))
