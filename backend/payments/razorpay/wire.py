"""What Razorpay says, read into values of our own: a payment link, and the payments that were tried by its page.

https://razorpay.com/docs/api/payments/payment-links/entity and …/payments/entity
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.core.outgoing.fields import Fields, Malformed
from backend.payments.gateway import URL_LONGEST, WORD_LONGEST

# The one note that we attach, which holds our reference; others who use the account have names of their own for theirs.
NOTE = "booking_service_reference"  # a link's notes are its order's and its payments', too

# A payment's description is "#" and the id of its link without its prefix, in every sample of theirs.
_LINK_OF_PAYMENT = re.compile(r"#([A-Za-z0-9]{10,40})")


class LinkStatus(StrEnum):
    """States of a payment link; one that we do not know takes money, as far as we know."""

    CREATED = "created"
    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    """States of a payment."""

    CREATED = "created"  # the bank has not spoken
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"  # all of it; also what was never captured and went back by itself
    FAILED = "failed"  # without the bank's word for ten minutes; it may become authorized for three days


@dataclass(frozen=True)
class Link:
    """A payment link. `order_id` is "" until somebody opens its page."""

    id: str
    reference: str
    amount_paise: int
    currency: str
    status: str
    order_id: str
    pay_url: str
    expires_at: datetime | None


@dataclass(frozen=True)
class Payment:
    """One try to pay. `reference` is ours, "" if it is not of a link that we made; `link_id` "" if it does not say."""

    id: str
    order_id: str
    reference: str
    link_id: str
    status: str
    is_captured: bool
    amount_paise: int
    currency: str
    method: str
    fee_paise: int | None
    tax_paise: int | None
    begun_at: datetime | None


def read_link(fields: Fields) -> Link:
    """Raises `Malformed`."""
    return Link(
        id=fields.id("id"),
        reference=fields.text_or_empty("reference_id"),
        amount_paise=fields.paise("amount"),
        currency=fields.currency(),
        status=fields.id("status"),
        order_id=fields.text_or_empty("order_id"),
        pay_url=fields.text_or_empty("short_url", longest=URL_LONGEST),
        expires_at=fields.unix("expire_by"),
    )


def read_payment(fields: Fields) -> Payment:
    """Raises `Malformed`."""
    status = fields.id("status")
    link = _LINK_OF_PAYMENT.fullmatch(str(fields.data.get("description")))
    return Payment(
        id=fields.id("id"),
        order_id=fields.text_or_empty("order_id"),
        reference=noted(fields),
        link_id=f"plink_{link[1]}" if link else "",
        status=status,
        is_captured=status == PaymentStatus.CAPTURED
        or (status == PaymentStatus.REFUNDED and fields.data.get("captured") is True),
        amount_paise=fields.paise("amount"),
        currency=fields.currency(),
        method=fields.text_or_empty("method", longest=WORD_LONGEST),
        fee_paise=fields.whole_or_none("fee"),
        tax_paise=fields.whole_or_none("tax"),
        begun_at=fields.unix("created_at"),
    )


def noted(fields: Fields) -> str:
    """Our reference in the notes, which are a list when there are none; "" if they do not name it."""
    try:
        return fields.part("notes").text_or_empty(NOTE)
    except Malformed:
        return ""
