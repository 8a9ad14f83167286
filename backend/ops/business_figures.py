"""The business in numbers: bookings, what is overdue, mails, money. No ids and no data of persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, Exists, Min, Q, QuerySet

from backend.bookings import kept_sums, policy, queries
from backend.bookings.machine import State
from backend.bookings.models import Booking, DataRequest, KeptSum
from backend.bookings.retention import RULES, Kind
from backend.channels.names import ChannelName
from backend.core.compiled_queries import Ago, compiled, run_queries
from backend.core.statements import Row
from backend.ops import gateway_figures
from backend.ops.gateway_figures import GatewayFigures
from backend.ops.health import since
from backend.outbox.models import GIVEN_UP, Delivery, Message, MessageState, Queue
from backend.outbox.patience import FALLBACK_AFTER, TEXT, whose
from backend.payments.models import OVER, Payment, PaymentState, Refund, RefundState
from backend.webhooks.models import Subscription

MAILS_COUNTED_FOR = timedelta(days=1)
FINALS = "final bookings"
KEPT_FROM = 50_000  # so many are counted within some milliseconds
REFUNDS_DUE = (RefundState.QUEUED, RefundState.UNFINISHED)  # what the gateway did not finish is as due as it was


class OverdueRule(StrEnum):
    """A deadline that a sweep keeps."""

    DRAFT_LAPSES = "draft_lapses"
    REQUEST_UNANSWERED = "request_unanswered"
    APPROVAL_UNPAID = "approval_unpaid"
    ATTEMPT_IDLE = "attempt_idle"
    SESSION_OVER = "session_over"
    CANCELLATION_UNPROVED = "cancellation_unproved"
    CHOICE_NOT_MADE = "choice_not_made"
    DRAFT_PURGED = "draft_purged"


RULE_OF = {
    State.DRAFT: OverdueRule.DRAFT_LAPSES,
    State.PENDING: OverdueRule.REQUEST_UNANSWERED,
    State.APPROVED: OverdueRule.APPROVAL_UNPAID,
    State.PAYMENT_PENDING: OverdueRule.ATTEMPT_IDLE,
    State.CONFIRMED: OverdueRule.SESSION_OVER,
}


@dataclass(frozen=True)
class Overdue:
    """Bookings whose deadline has passed without its consequence."""

    rule: OverdueRule
    count: int
    oldest_age: timedelta | None  # since the deadline


@dataclass(frozen=True)
class Mails:
    """Mails of one template that ended in one way within the last day."""

    template: str
    result: str
    count: int
    known: int  # of them, those of which the provider reported what became
    bounced: int  # of those, for good


@dataclass(frozen=True)
class Texts:
    """Reminders to telephones by one channel within the last day."""

    channel: str
    reached: int  # known to be delivered
    unreached: int  # refused, not delivered, or not heard of in time: mailed, if they were still true


@dataclass(frozen=True)
class BusinessFigures:
    """The practice's day in numbers."""

    bookings: dict[State, int]  # every state
    finals_counted_at: datetime  # those that are over: now, or of a large practice some minutes ago
    overdue: tuple[Overdue, ...]  # every rule
    mails: tuple[Mails, ...]
    texts: tuple[Texts, ...]  # of each channel
    payments_open: int
    oldest_payment_age: timedelta | None  # since the attempt began
    refunds_due: int
    oldest_refund_age: timedelta | None
    refunds_refused: int  # the gateway would not; staff must act
    gateways: GatewayFigures
    data_requests: int  # people who wait for us to act on their data
    data_request_left: timedelta | None  # until the nearest deadline of one
    receivers_failing: int  # subscriptions to webhooks whose server takes nothing
    oldest_receiver_age: timedelta | None  # since the first event that one did not take

    @property
    def mails_known(self) -> int:
        """Mails of the last day of which the provider reported what became."""
        return sum(mail.known for mail in self.mails)

    @property
    def mails_bounced(self) -> int:
        """Those of them that reached nobody."""
        return sum(mail.bounced for mail in self.mails)


def read_business_figures(*, now: datetime) -> BusinessFigures:
    """Sixteen queries, asked at once."""
    mine = (_waiting, _over, _kept, _due, _unproved, _unchosen, _lapsed, _refunds, _attempts, _mails, _asked, _failing)
    rows = run_queries(*mine, *gateway_figures.QUERIES, now=now)
    (
        waiting,
        over,
        kept,
        due,
        unproved,
        unchosen,
        lapsed,
        refund_rows,
        attempt_rows,
        mail_rows,
        asked_rows,
        failing_rows,
        *of_gateways,
    ) = rows
    over, counted_at = _finals(over, kept, now)
    late = [
        Overdue(RULE_OF[State(state)], count, since(oldest, now)) for state, count, oldest in due if state in RULE_OF
    ]
    late.append(_late(OverdueRule.CANCELLATION_UNPROVED, unproved, policy.CANCEL_LINK_LIFETIME, now))
    late.append(_late(OverdueRule.CHOICE_NOT_MADE, unchosen, timedelta(0), now))
    late.append(_late(OverdueRule.DRAFT_PURGED, lapsed, RULES[Kind.DRAFTS].kept, now))
    overdue = {rule: Overdue(rule, 0, None) for rule in OverdueRule} | {found.rule: found for found in late}
    refunds = {state: counted for state, *counted in refund_rows}
    due_refunds = [refunds[state] for state in REFUNDS_DUE if state in refunds]
    refused, _ = refunds.get(RefundState.REFUSED, (0, None))
    [(n_attempts, begun_at)] = attempt_rows or [(0, None)]
    [(n_asked, answer_by)] = asked_rows or [(0, None)]
    [(n_failing, failing_since)] = failing_rows or [(0, None)]
    return BusinessFigures(
        bookings=dict.fromkeys(State, 0) | {State(state): count for state, count in (*waiting, *over)},
        finals_counted_at=counted_at,
        overdue=tuple(overdue.values()),
        mails=tuple(Mails(*row) for *row, _ in sorted(mail_rows) if not _is_text(row[0])),
        texts=_texts([row for row in mail_rows if _is_text(row[0])]),
        payments_open=n_attempts,
        oldest_payment_age=since(begun_at, now),
        refunds_due=sum(count for count, _ in due_refunds),
        oldest_refund_age=since(min((oldest for _, oldest in due_refunds), default=None), now),
        refunds_refused=refused,
        gateways=gateway_figures.of_rows(of_gateways, now),
        data_requests=n_asked,
        data_request_left=answer_by - now if answer_by is not None else None,
        receivers_failing=n_failing,
        oldest_receiver_age=since(failing_since, now),
    )


def _finals(counted: list[Row], kept: list[Row], now: datetime) -> tuple[list[Row], datetime]:
    """Of each final state how many, and when they were counted."""
    if kept:
        [(counts, counted_at)] = kept
        return list(counts.items()), counted_at
    if sum(count for _, count in counted) >= KEPT_FROM:
        kept_sums.keep(FINALS, dict(counted), now=now)
    return counted, now


def _late(rule: OverdueRule, rows: list[Row], kept_for: timedelta, now: datetime) -> Overdue:
    """A rule whose deadline lies `kept_for` after what the rows hold; they are one a state."""
    oldest = min((oldest for _, _, oldest in rows), default=None)
    return Overdue(rule, sum(count for _, count, _ in rows), since(oldest and oldest + kept_for, now))


def _is_text(kind: str) -> bool:
    return whose(kind) == TEXT


def _texts(rows: list[Row]) -> tuple[Texts, ...]:
    """A row is one of a kind and a state, and a kind is of one channel."""
    counted: dict[str, list[tuple[int, int]]] = {channel.value: [] for channel in ChannelName}
    for kind, _, _, known, bounced, unreached in rows:
        counted.setdefault(kind.split(":")[1], []).append((known - bounced, unreached))
    return tuple(
        Texts(channel, sum(reached for reached, _ in counts), sum(unreached for _, unreached in counts))
        for channel, counts in counted.items()
    )


@compiled
def _waiting() -> QuerySet[Booking, Any]:
    """Those that have a deadline, which `booking_due` holds."""
    return Booking.objects.filter(due_at__isnull=False).order_by().values_list("state").annotate(number=Count("*"))


@compiled
def _over() -> QuerySet[Booking, Any]:
    """The others, by a scan; none where their number is kept."""
    rows = Booking.objects.filter(~Exists(kept_sums.fresh().filter(name=FINALS)), due_at=None)
    return rows.order_by().values_list("state").annotate(number=Count("*"))


@compiled
def _kept() -> QuerySet[KeptSum, Any]:
    return kept_sums.fresh().filter(name=FINALS).values_list("value", "counted_at")


@compiled
def _due() -> QuerySet[Booking, Any]:
    return _by_state(queries.past_due(Ago()), "due_at")


@compiled
def _unproved() -> QuerySet[Booking, Any]:
    return _by_state(
        queries.unproved_cancellations(Ago(lambda: policy.CANCEL_LINK_LIFETIME)), "cancellation_requested_at"
    )


@compiled
def _unchosen() -> QuerySet[Booking, Any]:
    return _by_state(queries.choices_not_made(Ago()), "choose_by")


@compiled
def _lapsed() -> QuerySet[Booking, Any]:
    return _by_state(queries.unproved_drafts(Ago(lambda: RULES[Kind.DRAFTS].kept)), "closed_at")


def _by_state(rows: QuerySet[Booking, Any], since_when: str) -> QuerySet[Booking, Any]:
    return rows.order_by().values_list("state").annotate(Count("pk"), Min(since_when))


@compiled
def _refunds() -> QuerySet[Refund, Any]:
    rows = Refund.objects.exclude(state__in=OVER).order_by().values_list("state")
    return rows.annotate(Count("pk"), Min("queued_at"))


@compiled
def _attempts() -> QuerySet[Payment, Any]:
    rows = Payment.objects.filter(state=PaymentState.OPEN).order_by().values("state")
    return rows.annotate(n=Count("pk"), begun=Min("started_at")).values_list("n", "begun")


@compiled
def _asked() -> QuerySet[DataRequest, Any]:
    rows = queries.open_data_requests().order_by().values("state")
    return rows.annotate(n=Count("pk"), first=Min("deadline")).values_list("n", "first")


@compiled
def _failing() -> QuerySet[Subscription, Any]:
    rows = Subscription.objects.filter(ended_at=None, failing_since__isnull=False).order_by().values("ended_at")
    return rows.annotate(n=Count("pk"), first=Min("failing_since")).values_list("n", "first")


@compiled
def _mails() -> QuerySet[Message, Any]:
    """And texts, settled within the day. None is blanked yet, which is the condition of the index that serves this."""
    texts = Q(kind__startswith=f"{TEXT}:")
    rows = Message.objects.filter(
        Q(queue=Queue.MAIL) | texts, blanked_at=None, settled_at__gt=Ago(lambda: MAILS_COUNTED_FOR)
    )
    known, bounced = Q(delivery__gt=""), Q(delivery=Delivery.BOUNCED)
    silent = Q(state=MessageState.DONE, delivery="", settled_at__lt=Ago(lambda: FALLBACK_AFTER))
    refused = Q(state__in=GIVEN_UP) | (Q(state=MessageState.OBSOLETE) & ~Q(last_error=""))
    unreached = texts & (bounced | silent | refused)
    counted = {
        name: Count("pk", filter=one) for name, one in (("known", known), ("bounced", bounced), ("un", unreached))
    }
    return rows.order_by().values_list("kind", "state").annotate(Count("pk"), **counted)
