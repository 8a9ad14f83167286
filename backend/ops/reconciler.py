"""Asks a gateway what it captured and gave back, and holds it against our books: in pieces, or all at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone

from backend.bookings.lifecycle import differences, reconciliation
from backend.bookings.lifecycle.differences import Difference, Kind
from backend.core.errors import Permanent, Refused, Unreadable
from backend.payments.adapters import gateway_named
from backend.payments.gateway import CapturePage, Gateway, capture_pages
from backend.payments.models import Payment, PaymentState, Reconciliation

log = logging.getLogger(__name__)

BUDGET_SECONDS = 10.0  # of a piece, which may ask twice on top, 5 s each: less than half of a lease


def go_on(row: Reconciliation) -> bool:
    """One piece of a round; False: nothing is left. Refuses: payments_unavailable. Raises Transient, Permanent."""
    gateway = gateway_named(row.gateway)
    if not row.has_listed:
        _compare_page(gateway, row)
        return True
    if payments := reconciliation.left_to_ask(row):
        _compare_payments(gateway, row, payments)
        return True
    reconciliation.end_round(row, is_complete=True, now=timezone.now())
    return False


def compare_all(name: str, since: datetime, *, now: datetime) -> Iterator[Difference]:
    """Everything since an instant, asked at once, and changed nothing. Raises as `go_on`."""
    gateway = gateway_named(name)
    pages = list(capture_pages(gateway, since))
    captured = {report.capture_id: report for page in pages for report in page.reports}
    unreadable = [what for page in pages for what in page.unreadable]
    yield from differences.of_page(name, CapturePage([*captured.values()], unreadable=unreadable))
    listed = captured.keys() | {report.reference for report in captured.values()}
    for payment in reconciliation.asked_in_full(name, since, now=now).iterator():
        is_listed = (payment.capture_id or payment.reference) in listed
        yield from _asked(gateway, payment, is_listed=is_listed, asks_refunds=True)


def mend(difference: Difference, gateway: Gateway | None = None) -> str:
    """What was done about it, in a word. What the bank granted is captured first."""
    if difference.kind is Kind.NOT_CAPTURED and difference.report is not None:
        asked = gateway or gateway_named(difference.gateway)
        report = asked.complete_order(difference.reference, difference.report.gateway_order_id)
        difference = differences.Difference(
            difference.kind, difference.gateway, difference.reference, difference.why, report
        )
    return reconciliation.mend(difference, now=timezone.now())


def _compare_page(gateway: Gateway, row: Reconciliation) -> None:
    page = gateway.captures_page(row.since, row.mark)
    for difference in differences.of_page(row.gateway, page):
        _mend(difference, gateway)
    reconciliation.note_captured(row.gateway, page.reports, now=timezone.now())
    reconciliation.note_listed(row, page)


def _compare_payments(gateway: Gateway, row: Reconciliation, payments: list[Payment]) -> None:
    began = time.monotonic()
    for payment in payments:
        is_listed = payment.compared_at is not None and payment.compared_at >= row.begun_at
        last = payment.refunds_compared_at
        asks_refunds = last is None or last < row.begun_at - reconciliation.REFUNDS_EVERY
        for difference in _asked(gateway, payment, is_listed=is_listed, asks_refunds=asks_refunds):
            _mend(difference, gateway)
        if payment.state == PaymentState.CAPTURED and asks_refunds:
            reconciliation.note_refunds_compared(payment, now=timezone.now())
        reconciliation.note_asked(row, payment.pk)
        if time.monotonic() - began > BUDGET_SECONDS:
            return


def _asked(gateway: Gateway, payment: Payment, *, is_listed: bool, asks_refunds: bool) -> Iterator[Difference]:
    """An answer about this payment that cannot be read keeps nobody from the others."""
    try:
        yield from _compared(gateway, payment, is_listed=is_listed, asks_refunds=asks_refunds)
    except (Permanent, Unreadable) as error:
        yield differences.of_failure(payment.gateway, payment.reference, error)


def _compared(gateway: Gateway, payment: Payment, *, is_listed: bool, asks_refunds: bool) -> Iterator[Difference]:
    if not is_listed:
        report = gateway.fetch_order(payment.reference, payment.gateway_order_id)
        yield from differences.of_order(payment, report)
    if payment.state == PaymentState.CAPTURED and asks_refunds:
        asked_at = timezone.now()
        told = gateway.fetch_refunds(payment.reference, payment.gateway_order_id)
        yield from differences.of_refunds(payment, told, asked_at=asked_at)


def _mend(difference: Difference, gateway: Gateway) -> None:
    """One that cannot be put right now keeps nobody from the others: the next round finds it again.

    Its rows may be held, its booking may have been erased a moment ago. Any other error is a bug, of which the worker
    tells. Raises Transient.
    """
    try:
        outcome = _mended_or_kept(difference, gateway)
    except (DatabaseError, Refused):
        log.exception("not put right: %s %s %s", difference.gateway, difference.reference, difference.kind)
    else:
        log.warning("%s %s: %s, %s", difference.gateway, difference.reference, difference.kind, outcome)


def _mended_or_kept(difference: Difference, gateway: Gateway) -> str:
    """What the gateway refuses, or says of another order, is for people."""
    try:
        return mend(difference, gateway)
    except (Permanent, Unreadable) as error:
        return mend(differences.of_failure(difference.gateway, difference.reference, error))
