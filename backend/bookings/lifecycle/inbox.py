"""What gateways report by webhook: kept first, then applied, once, in any order and however often it comes."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import DatabaseError

from backend.bookings import actors
from backend.bookings.lifecycle import quarantine
from backend.bookings.lifecycle.attempts import look_at_order
from backend.bookings.lifecycle.payments import ReportOutcome, apply_report
from backend.bookings.lifecycle.quarantine import Unbound
from backend.bookings.lifecycle.refunds import record_refund_report
from backend.bookings.lifecycle.transaction import intent
from backend.core import correlation, row_locks
from backend.core.errors import Code, Refused
from backend.core.outgoing.fields import Fields
from backend.payments.gateway import Event, EventKind
from backend.payments.models import KEPT_WHY_LONGEST, REFERENCE_LONGEST, InboxEvent, Payment
from backend.payments.written import read_event, write

log = logging.getLogger(__name__)

PATIENCE = timedelta(milliseconds=200)  # of the door, which shall answer within 300 ms


def receive_event(gateway: str, event: Event, *, now: datetime) -> ReportOutcome:
    """A webhook, any number of times in any order. Once this returns it is kept, so that it need not come again.

    It is applied at once if its rows are free; what fails or has to wait is for the sweep.
    """
    row = keep_event(gateway, event, now=now)
    if row.applied_at is not None:
        return ReportOutcome.UNCHANGED
    try:
        return apply_event(row.pk, now=now, patience=PATIENCE)
    except DatabaseError as error:
        log.warning("an event waits for the sweep: %s", type(error).__name__)
        return ReportOutcome.KEPT


@intent
def keep_event(gateway: str, event: Event, *, now: datetime) -> InboxEvent:
    """The row of the event, new or as it stands. No effect."""
    row, _ = InboxEvent.objects.get_or_create(
        gateway=gateway,
        event_id=event.event_id,
        defaults={
            "kind": event.kind,
            "payment_reference": (event.report.reference if event.report else event.reference)[:REFERENCE_LONGEST],
            "facts": write(event),
            "correlation_id": correlation.current(),
            "received_at": now,
        },
    )
    return row


@intent
def apply_event(row_id: int, *, now: datetime, patience: timedelta | None = None) -> ReportOutcome:
    """The event's effect, and that it had it, in one transaction. What is about nothing of ours is kept in quarantine.

    Raises OperationalError if its rows are held for longer than `patience`.
    """
    with row_locks.waiting_at_most(patience) if patience is not None else nullcontext():
        return _apply(InboxEvent.objects.select_for_update().get(pk=row_id), now=now)


def _apply(row: InboxEvent, *, now: datetime) -> ReportOutcome:
    if row.applied_at is not None:
        return ReportOutcome.UNCHANGED
    row.applied_at = now
    try:
        outcome = _effect(row.gateway, read_event(Fields(row.facts or {})), now=now)
    except Unbound as why:
        outcome, row.why = ReportOutcome.QUARANTINED, str(why)[:KEPT_WHY_LONGEST]
        log.error("kept in quarantine: %s %s, %s", row.gateway, row.event_id, why)
    row.result = outcome
    row.save(update_fields=["applied_at", "result", "why"])
    return outcome


def _effect(gateway: str, event: Event, *, now: datetime) -> ReportOutcome:
    """What the event does. Raises Unbound."""
    if event.kind is EventKind.UNREADABLE:
        raise Unbound(event.why or quarantine.UNREADABLE)
    try:
        return _known_effect(gateway, event, now=now)
    except Refused as refused:
        if refused.code is not Code.PAYMENT_UNKNOWN:
            raise
        raise Unbound("no payment of ours has this reference") from refused


def _known_effect(gateway: str, event: Event, *, now: datetime) -> ReportOutcome:
    if event.kind is EventKind.ORDER_TOUCHED:
        payment = Payment.objects.filter(gateway=gateway, reference=event.reference).first()
        if payment is None:
            raise Refused(Code.PAYMENT_UNKNOWN)
        look_at_order(payment, because_of=event.event_id, now=now)
        return ReportOutcome.LOOKED_INTO
    if event.report is not None:
        return apply_report(event.report, actor=actors.gateway(gateway), now=now)
    if event.refund is not None and record_refund_report(event.refund, now=now):
        return ReportOutcome.REFUNDED
    return ReportOutcome.UNCHANGED
