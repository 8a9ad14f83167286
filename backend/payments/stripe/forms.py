"""What we send to Stripe, field by field: nothing of it names the visitor or what the practice is for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

from backend.payments.gateway import Order, RefundOrder
from backend.payments.stripe.objects import REFERENCE

Form = Mapping[str, str | int]

# a page may live from 30 minutes to 24 hours; a minute more or less is for clocks that differ
# https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at
LEAST_LIFE = timedelta(minutes=31)
LONGEST_LIFE = timedelta(hours=24) - timedelta(minutes=1)


def session_form(order: Order, now: datetime) -> Form:
    """A Checkout Session for one sum. Stripe copies the metadata of the payment to its charge."""
    form: dict[str, str | int] = {
        "mode": "payment",
        "client_reference_id": order.reference,
        f"metadata[{REFERENCE}]": order.reference,
        f"payment_intent_data[metadata][{REFERENCE}]": order.reference,
        "line_items[0][quantity]": 1,
        "line_items[0][price_data][currency]": order.currency.lower(),
        "line_items[0][price_data][unit_amount]": order.amount_paise,
        "line_items[0][price_data][product_data][name]": order.description or order.reference,
        "adaptive_pricing[enabled]": "false",  # the sum is in the currency that was agreed
    }
    if order.return_url:
        form |= {"success_url": order.return_url, "cancel_url": order.return_url}
    if order.expires_at is not None:
        expires_at = min(max(order.expires_at, now + LEAST_LIFE), now + LONGEST_LIFE)
        form["expires_at"] = ceil(expires_at.timestamp())
    return form


def refund_form(refund: RefundOrder) -> Form:
    """A refund of a part of a payment, or of all of it."""
    return {
        "payment_intent": refund.capture_id,
        "amount": refund.amount_paise,
        f"metadata[{REFERENCE}]": refund.reference,
    }


def key(reference: str) -> Mapping[str, bytes]:
    """The header that makes Stripe do a thing once for 24 hours, whatever comes of it.

    https://docs.stripe.com/api/idempotent_requests
    """
    return {"Idempotency-Key": reference.encode()}
