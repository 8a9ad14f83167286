"""Money for the accountant: every payment and refund of a span, and what the gateway paid out beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import OuterRef, Q, QuerySet, Subquery

from backend.core.formatting import rupees
from backend.payments.models import Payment, PaymentState, Refund, RefundState, SettlementLine
from backend.payments.receipt_models import DocumentKind, Receipt

Key = tuple[str, str, str]  # the gateway, the kind of line, the gateway's id
UNEXPECTED = "unexpected"  # money that went back at once
AT_ONCE = 2000  # rows read from the database
PAID_OUT_WITHIN = timedelta(days=7)  # gateways pay out after two or three days of work


@dataclass(frozen=True)
class Movement:
    """A sum that came or went. `paise` is negative for a refund; `settled` is the gateway's line, if there is one."""

    at: datetime
    booking_id: int
    booking: str
    what: str  # "payment", "refund"
    method: str
    gateway: str
    reference: str
    gateway_id: str
    receipt: str
    paise: int
    currency: str
    fee_paise: int | None
    tax_paise: int | None
    note: str
    settled: SettlementLine | None


class Verdict(StrEnum):
    """What comparing a line of ours with one of the gateway says."""

    AGREES = "agrees"
    ANOTHER_SUM = "another sum"
    NOT_OURS = "not known here"
    NOT_PAID_OUT = "not paid out yet"
    OVERDUE = "not paid out in time"


@dataclass(frozen=True)
class Compared:
    """One item; ours or theirs is missing where the other side has nothing like it."""

    verdict: Verdict
    ours: Movement | None
    theirs: SettlementLine | None


@dataclass(frozen=True)
class Statement:
    """A span's items, and both sides' sums over those that were paid out, in paise: they differ by what disagrees."""

    items: list[Compared]
    ours_paise: int
    theirs_paise: int
    fee_paise: int
    tax_paise: int

    @property
    def differences(self) -> list[Compared]:
        return [item for item in self.items if item.verdict not in (Verdict.AGREES, Verdict.NOT_PAID_OUT)]


def movements(start: datetime, end: datetime) -> list[Movement]:
    """What came and went from `start` until before `end`, oldest first. Three queries."""
    came = Payment.objects.filter(state=PaymentState.CAPTURED, captured_at__gte=start, captured_at__lt=end)
    went = Refund.objects.filter(state=RefundState.DONE, settled_at__gte=start, settled_at__lt=end)
    captures, refunds = came.order_by().values("capture_id"), went.order_by().values("gateway_refund_id")
    of_them = Q(gateway_id__in=captures) | Q(gateway_id__in=refunds)
    lines = {_key(line): line for line in SettlementLine.objects.filter(of_them)}
    found = [*_payments(came, lines), *_refunds(went, lines)]
    return sorted(found, key=lambda one: (one.at, one.reference))


def statement(start: datetime, end: datetime, *, now: datetime) -> Statement:
    """What was paid out in the span, line by line, and what came and went in it and was not paid out."""
    lines = SettlementLine.objects.filter(settled_at__gte=start, settled_at__lt=end).order_by("settled_at", "pk")
    ids = lines.order_by().values("gateway_id")
    came, went = Payment.objects.filter(capture_id__in=ids), Refund.objects.filter(gateway_refund_id__in=ids)
    ours = {(one.gateway, one.what, one.gateway_id): one for one in [*_payments(came, {}), *_refunds(went, {})]}
    items = [_compared(line, ours.get(_key(line))) for line in lines]
    items += [_waiting(one, now=now) for one in movements(start, end) if one.gateway and one.settled is None]
    return Statement(
        items=items,
        ours_paise=sum(item.ours.paise for item in items if item.ours and item.theirs),
        theirs_paise=sum(item.theirs.amount_paise for item in items if item.theirs),
        fee_paise=sum(item.theirs.fee_paise for item in items if item.theirs),
        tax_paise=sum(item.theirs.tax_paise for item in items if item.theirs),
    )


def _compared(line: SettlementLine, ours: Movement | None) -> Compared:
    if ours is None:
        return Compared(Verdict.NOT_OURS, None, line)
    is_same = (ours.paise, ours.currency) == (line.amount_paise, line.currency)
    return Compared(Verdict.AGREES if is_same else Verdict.ANOTHER_SUM, ours, line)


def _waiting(ours: Movement, *, now: datetime) -> Compared:
    is_late = ours.at + PAID_OUT_WITHIN < now
    return Compared(Verdict.OVERDUE if is_late else Verdict.NOT_PAID_OUT, ours, None)


def _key(line: SettlementLine) -> Key:
    return line.gateway, line.kind, line.gateway_id


def _payments(rows: QuerySet[Payment], lines: dict[Key, SettlementLine]) -> Iterator[Movement]:
    receipts = Receipt.objects.filter(payment=OuterRef("pk"), kind=DocumentKind.RECEIPT).values("number")[:1]
    named = rows.select_related("booking").annotate(receipt=Subquery(receipts))
    for payment in named.order_by().iterator(AT_ONCE):
        yield Movement(
            at=payment.captured_at or payment.started_at,
            booking_id=payment.booking_id,
            booking=payment.booking.acknowledgement_id,
            what="payment",
            method=payment.paid_by or payment.get_method_display(),
            gateway=payment.gateway,
            reference=payment.reference,
            gateway_id=payment.capture_id,
            receipt=payment.receipt or "",
            paise=payment.captured_paise,
            currency=payment.captured_currency,
            fee_paise=payment.fee_paise,
            tax_paise=payment.tax_paise,
            note=_note(payment),
            settled=lines.get((payment.gateway, "payment", payment.capture_id)),
        )


def _note(payment: Payment) -> str:
    if payment.is_unexpected:
        return UNEXPECTED
    price = payment.booking.amount_paise or 0
    return f"part of {rupees(price)}" if payment.captured_paise < price else ""


def _refunds(rows: QuerySet[Refund], lines: dict[Key, SettlementLine]) -> Iterator[Movement]:
    notes = Receipt.objects.filter(refund=OuterRef("pk")).values("number")[:1]
    named = rows.select_related("payment__booking").annotate(receipt=Subquery(notes))
    for refund in named.order_by().iterator(AT_ONCE):
        payment = refund.payment
        yield Movement(
            at=refund.settled_at or refund.queued_at,
            booking_id=payment.booking_id,
            booking=payment.booking.acknowledgement_id,
            what="refund",
            method=payment.paid_by or payment.get_method_display(),
            gateway=payment.gateway if refund.gateway_refund_id else "",
            reference=refund.reference,
            gateway_id=refund.gateway_refund_id,
            receipt=refund.receipt or "",
            paise=-refund.amount_paise,
            currency=payment.captured_currency,
            fee_paise=None,
            tax_paise=None,
            note=payment.reference,
            settled=lines.get((payment.gateway, "refund", refund.gateway_refund_id)),
        )
