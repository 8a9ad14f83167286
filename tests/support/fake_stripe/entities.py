"""Stripe's objects as they are when they are new, with the fields that we or its library read."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from typing import Any

from tests.support.fake_stripe.shelf import Thing

DAY = 24 * 60 * 60
FEE, TAX = 0.02, 0.18  # of a capture, and of its fee


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def new_session(now: int, page_url: str, *, amount: int, currency: str, expires_at: int, **rest: Any) -> Thing:
    session_id = f"cs_test_{secrets.token_hex(29)}"
    return {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": amount,
        "amount_total": amount,
        "created": now,
        "currency": currency,
        "customer": None,
        "customer_details": None,
        "expires_at": expires_at,
        "livemode": False,
        "mode": "payment",
        "payment_intent": None,
        "payment_status": "unpaid",
        "status": "open",
        "url": f"{page_url}/c/pay/{session_id}#{secrets.token_hex(225)}",
        **rest,
    }


def new_intent(now: int, session: Thing) -> Thing:
    return {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "created": now,
        "currency": session["currency"],
        "last_payment_error": None,
        "latest_charge": None,
        "metadata": dict(session["_intent_metadata"]),
        "status": "requires_payment_method",
    }


def new_charge(now: int, intent: Thing, means: str, status: str) -> Thing:
    return {
        "id": new_id("py" if means == "upi" else "ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "captured": False,
        "created": now,
        "currency": intent["currency"],
        "metadata": dict(intent["metadata"]),
        "paid": status == "succeeded",
        "payment_intent": intent["id"],
        "payment_method_details": {"type": means, means: {}},
        "refunded": False,
        "status": status,
    }


def new_refund(now: int, charge: Thing, amount: int, metadata: dict[str, str], status: str) -> Thing:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "status": status,
    }


def new_booking(now: int, kind: str, source: Thing, amount: int) -> Thing:
    """A balance transaction; of what comes in, something is kept."""
    kept = round(amount * FEE) if kind in ("charge", "payment") else 0
    tax = round(kept * TAX)
    parts = [("Stripe processing fees", "stripe_fee", kept), ("GST", "tax", tax)] if kept else []
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "created": now,
        "currency": source["currency"],
        "fee": kept + tax,
        "fee_details": [
            {"amount": part, "currency": source["currency"], "description": words, "type": what}
            for words, what, part in parts
        ],
        "net": amount - kept - tax,
        "_payout": None,
        "source": source["id"],
        "status": "available",
        "type": kind,
    }


def new_payout(now: int, amount: int, day: date) -> Thing:
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()),
        "automatic": True,
        "created": now,
        "currency": "inr",
        "status": "paid",
        "trace_id": {"status": "supported", "value": f"UTR{secrets.randbelow(10**12):012d}"},
    }
