"""The entities of Razorpay's API, as they are when they are new."""

from __future__ import annotations

from typing import Any

from tests.support.fake_razorpay.ids import new_id

Entity = dict[str, Any]


def new_link(body: Entity, public_url: str, now: int) -> Entity:
    link_id = new_id("plink_")
    optional = {name: body[name] for name in ("callback_url", "callback_method") if name in body}
    return optional | {
        "id": link_id,
        "accept_partial": body.get("accept_partial", False),
        "amount": body["amount"],
        "amount_paid": 0,
        "cancelled_at": 0,
        "created_at": now,
        "currency": body.get("currency", "INR"),
        "customer": body.get("customer", []),
        "description": body.get("description", ""),
        "expire_by": body.get("expire_by", 0),
        "expired_at": 0,
        "first_min_partial_amount": 0,
        "notes": body.get("notes"),
        "notify": body.get("notify", {"sms": True, "email": True}),
        "payments": None,
        "reference_id": body.get("reference_id", ""),
        "reminder_enable": body.get("reminder_enable", True),
        "short_url": f"{public_url}/l/{link_id}",
        "status": "created",
        "updated_at": now,
        "upi_link": False,
        "user_id": "",
    }


def new_order(link: Entity, now: int) -> Entity:
    """Its receipt is the link's reference, and its notes are the link's."""
    return {
        "id": link["order_id"],
        "entity": "order",
        "amount": link["amount"],
        "amount_paid": 0,
        "amount_due": link["amount"],
        "currency": link["currency"],
        "receipt": link["reference_id"],
        "notes": link["notes"] or [],
        "status": "created",
        "attempts": 0,
        "created_at": now,
    }


def new_payment(link: Entity, method: str, now: int) -> Entity:
    """Its notes are the link's, and its description names the link. What the payer typed stays with Razorpay."""
    return {
        "id": new_id("pay_"),
        "entity": "payment",
        "amount": link["amount"],
        "currency": link["currency"],
        "status": "created",
        "order_id": link["order_id"],
        "invoice_id": None,
        "international": False,
        "method": method,
        "amount_refunded": 0,
        "refund_status": None,
        "captured": False,
        "description": "#" + link["id"].removeprefix("plink_"),
        "card_id": None,
        "bank": None,
        "wallet": None,
        "vpa": "payer@examplebank" if method == "upi" else None,
        "email": "void@razorpay.com",
        "contact": "+919999999999",
        "notes": link["notes"] or [],
        "fee": None,
        "tax": None,
        "error_code": None,
        "error_description": None,
        "error_source": None,
        "error_step": None,
        "error_reason": None,
        "acquirer_data": {"rrn": None},
        "created_at": now,
    }


def paid(payment: Entity) -> Entity:
    told = {name: payment[name] for name in ("amount", "created_at", "method", "status")}
    return {**told, "payment_id": payment["id"], "updated_at": payment["created_at"]}


def new_refund(payment: Entity, body: Entity, now: int) -> Entity:
    return {
        "id": new_id("rfnd_"),
        "entity": "refund",
        "amount": body["amount"],
        "currency": payment["currency"],
        "payment_id": payment["id"],
        "notes": body.get("notes", []),
        "receipt": body.get("receipt"),
        "acquirer_data": {"arn": None},
        "created_at": now,
        "batch_id": None,
        "status": "pending",
        "speed_processed": "normal",
        "speed_requested": "normal",
    }


def settled(kind: str, entity: Entity, settlement: Entity, **more: Any) -> Entity:
    comes, fee = kind == "payment", entity.get("fee") or 0
    return {
        "entity_id": entity["id"],
        "type": kind,
        "debit": 0 if comes else entity["amount"],
        "credit": entity["amount"] - fee if comes else 0,
        "amount": entity["amount"],
        "currency": entity["currency"],
        "fee": fee,
        "tax": entity.get("tax") or 0,
        "on_hold": False,
        "settled": True,
        "created_at": entity["created_at"],
        "settled_at": settlement["at"],
        "settlement_id": settlement["id"],
        "posted_at": None,
        "credit_type": "default",
        "description": entity.get("description"),
        "notes": entity["notes"],
        "payment_id": None,
        "settlement_utr": settlement["utr"],
        "order_id": entity.get("order_id"),
        "order_receipt": None,
        "method": entity.get("method"),
        "dispute_id": None,
        **more,
    }
