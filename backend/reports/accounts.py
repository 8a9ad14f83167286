"""Money for the accountant: every payment and refund of a span, and what the gateway paid out beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Model, OuterRef, Q, QuerySet, Subquery, TextChoices

from backend.core.formatting import rupees
from backend.payments.models import Payment, PaymentState, Refund, RefundState, SettlementLine
from backend.payments.receipt_models import DocumentKind, Receipt

Key = tuple[str, str, str]  # the gateway, the kind of line, the gateway's id
T = TypeVar("T", bound=Model)
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


class Verdict(TextChoices):
    """What comparing a line of ours with one of the gateway says, for programs and for people."""

    AGREES = "agrees", "agrees"
    ANOTHER_SUM = "another_sum", "another sum"
    NOT_OURS = "not_ours", "not known here"
    NOT_PAID_OUT = "not_paid_out", "not paid out yet"
    OVERDUE = "overdue", "not paid out in time"


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
    came, went = _moved(start, end)
    lines = _lines(came.values("capture_id"), went.values("gateway_refund_id"))
    found = [*_payments(_each(came), lines), *_refunds(_each(went), lines)]
    return sorted(found, key=lambda one: (one.at, one.what, one.reference))


def movements_behind(start: datetime, end: datetime, *, after: str, limit: int) -> list[Movement]:
    """Up to `limit` of them, from behind the one with the reference `after`. Raises LookupError if there is none."""
    came, went = _moved(start, end)
    if after:
        came, went = _behind(came, went, after)
    payments = list(came.order_by("captured_at", "reference")[:limit])
    refunds = list(went.order_by("settled_at", "reference")[:limit])
    lines = _lines([one.capture_id for one in payments], [one.gateway_refund_id for one in refunds])
    found = [*_payments(payments, lines), *_refunds(refunds, lines)]
    return sorted(found, key=lambda one: (one.at, one.what))[:limit]  # stable: references as the database orders them


def came_and_went(moved: Iterable[Movement]) -> tuple[int, int]:
    """What came, and what went back, in paise."""
    found = list(moved)
    return sum(one.paise for one in found if one.paise > 0), -sum(one.paise for one in found if one.paise < 0)


def statement(start: datetime, end: datetime, *, now: datetime) -> Statement:
    """What was paid out in the span, line by line, and what came and went in it and was not paid out."""
    lines = SettlementLine.objects.filter(settled_at__gte=start, settled_at__lt=end).order_by("settled_at", "pk")
    ids = lines.order_by().values("gateway_id")
    came = _with_receipt(Payment.objects.filter(capture_id__in=ids))
    went = _with_note(Refund.objects.filter(gateway_refund_id__in=ids))
    found = [*_payments(_each(came), {}), *_refunds(_each(went), {})]
    ours = {(one.gateway, one.what, one.gateway_id): one for one in found}
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


def _moved(start: datetime, end: datetime) -> tuple[QuerySet[Payment], QuerySet[Refund]]:
    came = _with_receipt(Payment.objects.filter(captured_at__gte=start, captured_at__lt=end))
    went = _with_note(Refund.objects.filter(settled_at__gte=start, settled_at__lt=end))
    return came.filter(state=PaymentState.CAPTURED).order_by(), went.filter(state=RefundState.DONE).order_by()


def _behind(came: QuerySet[Payment], went: QuerySet[Refund], after: str) -> tuple[QuerySet[Payment], QuerySet[Refund]]:
    """Of one instant payments come first, then refunds, each by their references."""
    at = Payment.objects.filter(reference=after).values_list("captured_at", flat=True).first()
    if at is not None:
        rest = Q(captured_at__gt=at) | Q(captured_at=at, reference__gt=after)
        return came.filter(rest), went.filter(settled_at__gte=at)
    at = Refund.objects.filter(reference=after).values_list("settled_at", flat=True).first()
    if at is None:
        raise LookupError(after)
    rest = Q(settled_at__gt=at) | Q(settled_at=at, reference__gt=after)
    return came.filter(captured_at__gt=at), went.filter(rest)


def _with_receipt(rows: QuerySet[Payment]) -> QuerySet[Payment]:
    receipts = Receipt.objects.filter(payment=OuterRef("pk"), kind=DocumentKind.RECEIPT).values("number")[:1]
    return rows.select_related("booking").annotate(receipt=Subquery(receipts))


def _with_note(rows: QuerySet[Refund]) -> QuerySet[Refund]:
    notes = Receipt.objects.filter(refund=OuterRef("pk")).values("number")[:1]
    return rows.select_related("payment__booking").annotate(receipt=Subquery(notes))


def _each(rows: QuerySet[T]) -> Iterator[T]:
    return rows.order_by().iterator(AT_ONCE)


def _lines(captures: Any, refunds: Any) -> dict[Key, SettlementLine]:
    """What the gateways told of these, which are ids or queries for them."""
    found = SettlementLine.objects.filter(Q(gateway_id__in=captures) | Q(gateway_id__in=refunds))
    return {_key(line): line for line in found}


def _key(line: SettlementLine) -> Key:
    return line.gateway, line.kind, line.gateway_id


def _payments(rows: Iterable[Payment], lines: dict[Key, SettlementLine]) -> Iterator[Movement]:
    """Of rows `_with_receipt`."""
    for payment in rows:
        yield Movement(
            at=payment.captured_at or payment.started_at,
            booking_id=payment.booking_id,
            booking=payment.booking.acknowledgement_id,
            what="payment",
            method=payment.paid_by or payment.get_method_display(),
            gateway=payment.gateway,
            reference=payment.reference,
            gateway_id=payment.capture_id,
            receipt=vars(payment)["receipt"] or "",
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


def _refunds(rows: Iterable[Refund], lines: dict[Key, SettlementLine]) -> Iterator[Movement]:
    """Of rows `_with_note`."""
    for refund in rows:
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
            receipt=vars(refund)["receipt"] or "",
            paise=-refund.amount_paise,
            currency=payment.captured_currency,
            fee_paise=None,
            tax_paise=None,
            note=payment.reference,
            settled=lines.get((payment.gateway, "refund", refund.gateway_refund_id)),
        )
