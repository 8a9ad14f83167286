"""Rows of receipts and credit notes, written in the transaction that moves the money."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Sum

from backend.core import compiled_writes
from backend.payments import tax
from backend.payments.models import Payment, Refund
from backend.payments.receipt_models import DocumentKind, Receipt
from backend.payments.receipt_series import Place, take
from backend.payments.tax import TaxMode, TaxSplit, TaxTerms

_FROM_ORIGINAL = (  # a credit note says as its receipt did, whatever has changed since
    "payment_id", "language", "person_name", "booking_reference", "description", "practice_name", "practice_address",
    "gstin", "sac", "tax_mode", "tax_percent", "place_of_supply", "currency",
)  # fmt: skip
_TAXES = tuple(one.name for one in fields(TaxSplit))


@dataclass(frozen=True)
class Supply:
    """What was paid for, by whom and where, in words that tell nothing of the practice's kind."""

    language: str  # of the words
    person_name: str
    booking_reference: str
    description: str
    place_of_supply: str  # code of a state; empty: not known, so it is the practice's


def issue(payment: Payment, supply: Supply, *, on: date, now: datetime) -> Receipt:
    """The receipt of a capture; `on` is the practice's day. The caller holds the payment's lock."""
    terms = _terms(supply.place_of_supply)
    is_taxed = terms.mode is TaxMode.REGISTERED
    place = take(DocumentKind.RECEIPT, on)
    return _written(
        place,
        payment.captured_paise,
        tax.split(payment.captured_paise, terms),
        at=now,
        payment_id=payment.pk,
        language=supply.language,
        person_name=supply.person_name,
        booking_reference=supply.booking_reference,
        description=supply.description,
        practice_name=settings.PRACTICE_LEGAL_NAME,
        practice_address=settings.PRACTICE_ADDRESS,
        gstin=settings.PRACTICE_GSTIN,
        sac=settings.TAX_SAC,
        tax_mode=terms.mode,
        tax_percent=terms.percent,
        place_of_supply=terms.place_of_supply if is_taxed else "",
        currency=payment.captured_currency,
    )


def take_back(receipt: Receipt, amount_paise: int, *, refund: Refund | None, on: date, now: datetime) -> Receipt:
    """The credit note of a refund that was made, or of all of a payment that was recorded by mistake.

    The caller holds the booking's lock, so that of two parts the second counts the first.
    """
    sums = receipt.credit_notes.aggregate(**{name: Sum(name) for name in _TAXES})
    before = TaxSplit(**{name: paise or 0 for name, paise in sums.items()})
    terms = TaxTerms(TaxMode(receipt.tax_mode), receipt.tax_percent, receipt.gstin[:2], receipt.place_of_supply)
    taxes = tax.split_back(amount_paise, terms, before=before)
    kept = {name: getattr(receipt, name) for name in _FROM_ORIGINAL}
    place = take(DocumentKind.CREDIT_NOTE, on)
    return _written(place, amount_paise, taxes, at=now, original=receipt, refund=refund, **kept)


def of_payment(payment: Payment) -> Receipt | None:
    """The receipt of what came in; none of money that goes back by itself."""
    return Receipt.objects.filter(payment=payment, kind=DocumentKind.RECEIPT).first()


def taking_back(payment: Payment) -> Receipt | None:
    """The credit note of one that was recorded by mistake."""
    return Receipt.objects.filter(payment=payment, kind=DocumentKind.CREDIT_NOTE, refund=None).first()


def of_booking(booking_id: int) -> list[Receipt]:
    """All of its receipts and credit notes, in the order in which they were issued."""
    return list(Receipt.objects.filter(payment__booking=booking_id).order_by("pk"))


def _terms(place_of_supply: str) -> TaxTerms:
    mode = TaxMode(settings.TAX_MODE)
    if mode is TaxMode.EXEMPT:
        return TaxTerms(mode)
    state = settings.PRACTICE_GSTIN[:2]
    return TaxTerms(mode, settings.TAX_PERCENT, state, place_of_supply or state)


def _written(place: Place, amount_paise: int, taxes: TaxSplit, **facts: Any) -> Receipt:
    receipt = Receipt(
        kind=place.kind,
        year=place.year,
        sequence=place.sequence,
        number=place.number,
        amount_paise=amount_paise,
        **asdict(taxes),
        **facts,
    )
    compiled_writes.insert([receipt])
    return receipt
