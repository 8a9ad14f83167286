"""Our books held against a gateway's: what is paid, booked or given back on one side alone. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backend.bookings.actors import IS_STAFF
from backend.bookings.intents import Intent
from backend.bookings.lifecycle.attempts import takes_money
from backend.bookings.models import LedgerEntry
from backend.core.errors import OutsideFailure
from backend.core.formatting import money
from backend.payments.gateway import CapturePage, OrderReport, OrderState, RefundOrderState, RefundReport
from backend.payments.models import Payment, PaymentState, Refund, RefundState

LISTED_WITHIN = timedelta(minutes=5)  # a refund that was made is told by then


class Kind(StrEnum):
    """What differs. The first five are put right, the others are for people."""

    NOT_BOOKED = "paid, not booked"
    CAPTURED_TWICE = "one order, captured twice"
    NOT_CAPTURED = "granted by the bank, not captured"
    DECLINED = "declined, not noted"
    REFUND_NOT_NOTED = "refund settled, not noted"
    NOT_PAID = "booked, not paid"
    OTHER_SUM = "another sum"
    NOBODYS = "paid to nobody"
    NOT_GIVEN_BACK = "given back in our books alone"
    NOT_OURS = "given back at the gateway alone"
    GIVEN_BACK_TWICE = "given back twice"
    NOT_COMPARED = "cannot be compared"


@dataclass(frozen=True)
class Difference:
    """One thing that differs. `why` names what it is about and is the same at every look, so that it is told once."""

    kind: Kind
    gateway: str
    reference: str  # of our payment, "" where there is none
    why: str
    report: OrderReport | None = None
    refund: RefundReport | None = None


def of_captures(gateway: str, reports: Sequence[OrderReport]) -> Iterator[Difference]:
    """What the gateway captured, and we do not know so."""
    ours = Payment.objects.filter(gateway=gateway)
    known = {each.capture_id: each for each in ours.filter(capture_id__in=[report.capture_id for report in reports])}
    named = {each.reference: each for each in ours.filter(reference__in=[report.reference for report in reports])}
    for report in reports:
        if (payment := known.get(report.capture_id)) is not None:
            yield from _of_sum(payment, report)
        elif (payment := named.get(report.reference)) is not None:
            yield _unknown_capture(payment, report)
        else:
            why = f"no payment of ours for the capture {report.capture_id} of {_money(report)}"
            yield Difference(Kind.NOBODYS, gateway, report.reference, why, report)


def of_page(gateway: str, page: CapturePage) -> Iterator[Difference]:
    """The same of a part of its list, and what of it nobody can read."""
    yield from of_captures(gateway, page.reports)
    for what in page.unreadable:
        yield Difference(Kind.NOT_COMPARED, gateway, "", f"among its captures, {what}")


def of_failure(gateway: str, reference: str, error: OutsideFailure) -> Difference:
    """The gateway answers to everything but what is asked of this payment."""
    return Difference(Kind.NOT_COMPARED, gateway, reference, str(error))


def of_order(payment: Payment, report: OrderReport | None) -> Iterator[Difference]:
    """What the gateway says of an order that it did not list as captured."""
    if payment.state == PaymentState.CAPTURED:
        if report is None or report.state is not OrderState.CAPTURED:
            said = "knows no such order" if report is None else f"calls it {report.state}"
            why = f"captured in our books by {payment.capture_id}, and the gateway {said}"
            yield Difference(Kind.NOT_PAID, payment.gateway, payment.reference, why, report)
        elif report.capture_id == payment.capture_id:
            yield from _of_sum(payment, report)
    elif report is not None and report.state is OrderState.CAPTURED:
        yield _unknown_capture(payment, report)
    elif report is not None and report.state is OrderState.AUTHORISED and takes_money(payment):
        why = f"{_money(report)} wait to be captured"
        yield Difference(Kind.NOT_CAPTURED, payment.gateway, payment.reference, why, report)
    elif report is not None and report.state is OrderState.DECLINED and payment.state == PaymentState.OPEN:
        yield Difference(Kind.DECLINED, payment.gateway, payment.reference, "declined at the gateway", report)


def of_refunds(payment: Payment, reports: Iterable[RefundReport], *, asked_at: datetime) -> Iterator[Difference]:
    """What was given back of an order on one side alone. A second capture of it is another payment of its booking.

    What we noted after the gateway was asked it could not tell, and its lists may be a little behind.
    """
    told = list(reports)
    ours = Refund.objects.filter(payment__booking=payment.booking_id, payment__gateway=payment.gateway)
    refunds = {refund.reference: refund for refund in ours.select_related("payment")}
    twice = [name for name, count in Counter(each.reference for each in told if each.reference).items() if count > 1]
    for name in twice:
        yield _refund_difference(Kind.GIVEN_BACK_TWICE, payment, f"the gateway has the refund {name} twice")
    for report in told:
        if report.reference not in twice:
            yield from _of_refund(payment, refunds.get(report.reference), report)
    done = [each for each in refunds.values() if each.state == RefundState.DONE and _was_settled(each, asked_at)]
    there = {report.reference for report in told}
    for refund in done:
        if refund.payment_id == payment.pk and refund.reference not in there and not _was_handed_out(refund):
            why = f"the gateway has no refund {refund.reference} of {money(refund.amount_paise)}"
            yield _refund_difference(Kind.NOT_GIVEN_BACK, payment, why)


def _of_sum(payment: Payment, report: OrderReport) -> Iterator[Difference]:
    if (payment.captured_paise, payment.captured_currency) != (report.amount_paise, report.currency):
        ours = money(payment.captured_paise, payment.captured_currency)
        why = f"the capture {report.capture_id} is of {_money(report)}, and of {ours} in our books"
        yield Difference(Kind.OTHER_SUM, payment.gateway, payment.reference, why, report)


def _unknown_capture(payment: Payment, report: OrderReport) -> Difference:
    is_second = payment.state == PaymentState.CAPTURED
    kind = Kind.CAPTURED_TWICE if is_second else Kind.NOT_BOOKED
    why = f"{_money(report)} were captured by {report.capture_id}"
    return Difference(kind, payment.gateway, payment.reference, why, report)


def _of_refund(payment: Payment, refund: Refund | None, report: RefundReport) -> Iterator[Difference]:
    sum_there = money(report.amount_paise)
    if refund is None:
        why = f"the refund {report.gateway_refund_id} of {sum_there} was not asked for by us"
        if report.state is not RefundOrderState.REFUSED:
            yield _refund_difference(Kind.NOT_OURS, payment, why)
    elif report.amount_paise != refund.amount_paise:
        why = f"the refund {refund.reference} is of {sum_there}, and of {money(refund.amount_paise)} in our books"
        yield _refund_difference(Kind.OTHER_SUM, payment, why)
    elif report.state is RefundOrderState.PENDING:
        return
    elif refund.state in (RefundState.QUEUED, RefundState.UNFINISHED):
        yield _refund_difference(Kind.REFUND_NOT_NOTED, payment, f"{refund.reference} is {report.state}", report)
    elif report.state is RefundOrderState.DONE:
        yield from _given_back_beside_us(payment, refund)
    elif refund.state == RefundState.DONE and not _was_handed_out(refund):
        why = f"the refund {refund.reference} is done in our books, and the gateway refused it"
        yield _refund_difference(Kind.NOT_GIVEN_BACK, payment, why)


def _given_back_beside_us(payment: Payment, refund: Refund) -> Iterator[Difference]:
    """The gateway has given it back. So have we by hand, or we think that nobody has."""
    if refund.state != RefundState.DONE:
        why = f"the refund {refund.reference} was made, and is {refund.state} in our books"
        yield _refund_difference(Kind.NOT_OURS, payment, why)
    elif _was_handed_out(refund):
        why = f"the refund {refund.reference} was made by the gateway, and by hand"
        yield _refund_difference(Kind.GIVEN_BACK_TWICE, payment, why)


def _was_settled(refund: Refund, by: datetime) -> bool:
    return refund.settled_at is not None and refund.settled_at < by - LISTED_WITHIN


def _was_handed_out(refund: Refund) -> bool:
    """Staff gave it back in another way."""
    made = LedgerEntry.objects.filter(IS_STAFF, booking=refund.payment.booking_id, intent=Intent.REFUND_MADE)
    return made.filter(details__refund=refund.pk).exists()


def _refund_difference(kind: Kind, payment: Payment, why: str, report: RefundReport | None = None) -> Difference:
    return Difference(kind, payment.gateway, payment.reference, why, refund=report)


def _money(report: OrderReport) -> str:
    return money(report.amount_paise, report.currency)
