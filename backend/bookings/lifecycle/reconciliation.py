"""What is done about differences between our books and a gateway's, and the rounds in which they are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from backend.bookings import actors, policy
from backend.bookings.lifecycle import payments, quarantine, refunds
from backend.bookings.lifecycle.attempts import learn
from backend.bookings.lifecycle.differences import Difference, Kind
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.lifecycle.transaction import intent
from backend.core import correlation
from backend.core.errors import required
from backend.outbox import messages
from backend.outbox.models import Queue
from backend.payments.gateway import CapturePage, EventKind, OrderReport
from backend.payments.models import InboxEvent, Payment, PaymentState, Reconciliation, Refund

BATCH = 20  # payments of ours that a piece of a round asks about at most
UNTOLD = "untold"  # the result of a capture that no event told of
UNTOLD_AFTER = timedelta(minutes=10)  # an event may take a while
STUCK_AFTER = timedelta(hours=2)  # of a round that never ended: its message was given up
# nearly every sum was not given back, and there is a question for each: often while it is new, and then less so
REFUNDS_EVERY, REFUNDS_OFTEN_FOR = timedelta(minutes=55), timedelta(days=1)
REFUNDS_LATER = timedelta(hours=5, minutes=55)
_TOLD = (EventKind.ORDER_CAPTURED, EventKind.ORDER_TOUCHED)


# -- rounds -----------------------------------------------------------------------------------------------------------


def gateways_due(*, now: datetime) -> list[int]:
    """The newest payment of each gateway that has any within the time and is not being compared: it stands for it."""
    since = now - policy.RECONCILED_FOR
    recent = Payment.objects.filter(Q(started_at__gte=since) | Q(captured_at__gte=since) | Q(state=PaymentState.OPEN))
    newest = recent.exclude(gateway="").order_by().values("gateway").annotate(pk_of=Max("pk"))
    latest = {row.gateway: row for row in Reconciliation.objects.all()}
    return [row["pk_of"] for row in newest if _is_due(latest.get(row["gateway"]), now)]


def _is_due(row: Reconciliation | None, now: datetime) -> bool:
    """Not while a round is going on."""
    return row is None or row.ended_at is not None or not row.begun_at <= now < row.begun_at + STUCK_AFTER


@intent
def begin_round(payment_id: int, *, now: datetime) -> None:
    """Owe the payments worker a comparison with the gateway of this payment, unless one is going on."""
    gateway = Payment.objects.values_list("gateway", flat=True).get(pk=payment_id)
    row = Reconciliation.objects.select_for_update().filter(gateway=gateway).first()
    if not _is_due(row, now):
        return
    fresh = {"begun_at": now, "since": now - policy.RECONCILED_FOR}
    anew = {"ended_at": None, "mark": "", "has_listed": False, "last_payment": 0}
    first = {"first_begun_at": row.first_begun_at if row else now}
    row, _ = Reconciliation.objects.update_or_create(gateway=gateway, defaults=first | fresh | anew)
    key = f"{GatewayWork.RECONCILE}:{row.pk}:{now.timestamp():.0f}"
    messages.emit(queue=Queue.PAYMENTS, kind=GatewayWork.RECONCILE, dedupe_key=key, now=now, subject_id=row.pk)


@intent
def note_listed(row: Reconciliation, page: CapturePage) -> None:
    """The round goes on with the next part of the list, or with what the list left out."""
    has_listed = not page.next_mark
    _of_round(row).update(mark=page.next_mark, has_listed=has_listed)


@intent
def note_asked(row: Reconciliation, payment_id: int) -> None:
    """The round goes on with the payment after this one."""
    _of_round(row).update(last_payment=payment_id)


@intent
def end_round(row: Reconciliation, *, is_complete: bool, now: datetime) -> None:
    """Nothing is left to compare; or the gateway did not answer, and the next round begins from the start."""
    _of_round(row).update(ended_at=now, **({"completed_at": now} if is_complete else {}))


def _of_round(row: Reconciliation) -> QuerySet[Reconciliation]:
    """Whoever is still at an older round changes nothing."""
    return Reconciliation.objects.filter(pk=row.pk, begun_at=row.begun_at)


def left_to_ask(row: Reconciliation) -> list[Payment]:
    """The next payments of ours that the gateway is asked about one by one."""
    ours = _to_ask(row.gateway, row.since, begun_at=row.begun_at).filter(pk__gt=row.last_payment)
    return list(ours.order_by("pk").select_related("booking")[:BATCH])


def asked_in_full(gateway: str, since: datetime, *, now: datetime) -> QuerySet[Payment]:
    """All that a whole comparison asks about, whatever was compared lately."""
    everything = _open(gateway, now) | _recent(gateway, since)
    return everything.order_by("pk").select_related("booking")


def _to_ask(gateway: str, since: datetime, *, begun_at: datetime) -> QuerySet[Payment]:
    unlisted = Q(compared_at=None) | Q(compared_at__lt=begun_at)
    fresh = Q(captured_at__gt=begun_at - REFUNDS_OFTEN_FOR, refunds_compared_at__lt=begun_at - REFUNDS_EVERY)
    refunds_due = fresh | Q(refunds_compared_at=None) | Q(refunds_compared_at__lt=begun_at - REFUNDS_LATER)
    return _open(gateway, begun_at) | _recent(gateway, since).filter(unlisted | refunds_due)


def _open(gateway: str, now: datetime) -> QuerySet[Payment]:
    """The worker makes their orders within seconds."""
    begun = now - timedelta(minutes=1)
    return Payment.objects.filter(gateway=gateway, state=PaymentState.OPEN, started_at__lte=begun)


def _recent(gateway: str, since: datetime) -> QuerySet[Payment]:
    """Captured, or given back in part, within the time. What has no order was a second capture of another's."""
    moved = Refund.objects.filter(payment=OuterRef("pk")).filter(Q(queued_at__gte=since) | Q(settled_at__gte=since))
    captured = Payment.objects.filter(gateway=gateway, state=PaymentState.CAPTURED).exclude(gateway_order_id="")
    return captured.filter(Q(captured_at__gte=since) | Exists(moved))


# -- what is found ----------------------------------------------------------------------------------------------------


def mend(difference: Difference, *, now: datetime) -> str:
    """Put right what has one meaning, and keep the rest for people, once. What was done, in a word."""
    report = difference.report
    if difference.kind is Kind.CAPTURED_TWICE and report is not None:
        return payments.record_second_capture(report, now=now)
    if difference.kind in (Kind.NOT_BOOKED, Kind.NOT_CAPTURED, Kind.DECLINED) and report is not None:
        return payments.record_report(report, actor=actors.gateway(difference.gateway), now=now)
    if difference.kind is Kind.REFUND_NOT_NOTED:
        refund = required(difference.refund, "refund", difference)
        refunds.record_refund(Refund.objects.get(reference=refund.reference).pk, refund, now=now)
        return payments.ReportOutcome.REFUNDED
    why = f"{difference.kind}: {difference.why}"
    quarantine.keep(difference.gateway, EventKind.OTHER, difference.reference, why, now=now)
    return quarantine.QUARANTINED


@intent
def note_captured(gateway: str, reports: Sequence[OrderReport], *, now: datetime) -> None:
    """The gateway says that these are captured. What it tells of them beside that is kept, and which no event told."""
    by_id = {report.capture_id: report for report in reports}
    captured = Payment.objects.filter(gateway=gateway, capture_id__in=by_id)
    for payment in captured.order_by("pk").select_for_update():
        learn(payment, by_id[payment.capture_id])
    captured.update(compared_at=now)
    old = {
        by_id[payment.capture_id].reference: payment
        for payment in captured
        if (payment.captured_at or now) <= now - UNTOLD_AFTER
    }
    told = InboxEvent.objects.filter(gateway=gateway, payment_reference__in=old, kind__in=_TOLD)
    names = set(told.exclude(result__in=[quarantine.QUARANTINED, UNTOLD]).values_list("payment_reference", flat=True))
    rows = [_untold(payment, reference, now) for reference, payment in old.items() if reference not in names]
    InboxEvent.objects.bulk_create(rows, ignore_conflicts=True)


def _untold(payment: Payment, reference: str, now: datetime) -> InboxEvent:
    return InboxEvent(
        gateway=payment.gateway,
        event_id=f"{UNTOLD}:{payment.pk}",
        kind=EventKind.OTHER,
        payment_reference=reference,
        result=UNTOLD,
        why="the gateway captured it, and sent no event of it",
        correlation_id=correlation.current(),
        received_at=now,
        applied_at=now,
    )


@intent
def note_refunds_compared(payment: Payment, *, now: datetime) -> None:
    Payment.objects.filter(pk=payment.pk).update(refunds_compared_at=now)
