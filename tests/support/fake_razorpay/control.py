"""The control door, `/_control/…`: what visitors, banks and networks do when a test or a storm says so."""

from __future__ import annotations

from typing import Any

from tests.support.fake_gateway.delivery import Manner, instruct
from tests.support.fake_gateway.trouble import Troubles
from tests.support.fake_razorpay.books import Books
from tests.support.fake_razorpay.errors import unknown

Body = dict[str, Any]


def control(action: str, body: Body, *, books: Books, manner: Manner, troubles: Troubles, sent: list[str]) -> Body:
    """Do it, and say what came of it. Every body may be empty.

    attempt: `reference`, `status` (captured, authorized, failed, created), then `becomes` after `seconds`; `method`,
    `force` (the page takes no money any more, the bank does all the same). become: `payment_id`, `status`.
    account: `captures_by_itself`. refunds: `payment_id`, `become` (processed, failed) at finish_refunds. settle.
    trouble: `kind`, `path`, `times`. webhooks: `url`, `copies`, `shuffled`, `silent`, `secret`. ahead: `seconds`.
    """
    match action:
        case "attempt":
            return {"payment": _attempt(books, body)}
        case "become":
            return {"payment": books.become(body["payment_id"], body["status"])}
        case "account":
            books.captures_by_itself = bool(body["captures_by_itself"])
        case "refunds":
            books.refunds_of[body["payment_id"]] = body.get("become", "processed")
        case "finish_refunds":
            books.finish_refunds()
        case "settle":
            return {"settlement_id": books.settle()}
        case "trouble":
            troubles.owe(body["kind"], path=body.get("path", ""), times=body.get("times", 1))
        case "webhooks":
            instruct(manner, books.outbox, body)
        case "ahead":
            books.ahead += float(body["seconds"])
            books.advance()
        case "journal":
            return {"sent": list(sent)}
        case "books":
            return _everything(books)
        case _:
            raise unknown()
    return {}


def _attempt(books: Books, body: Body) -> Body | None:
    links = books.links_with(body["reference"])
    if not links:
        raise unknown()
    payment = books.attempt(
        links[0]["id"],
        body.get("status", "captured"),
        method=body.get("method", "upi"),
        is_forced=bool(body.get("force")),
    )
    if payment is not None and "becomes" in body:
        books.become_later(payment["id"], body["becomes"], float(body.get("seconds", 0)))
    return payment


def _everything(books: Books) -> Body:
    """What a storm compares with our own books."""
    with books.lock:
        return {
            "links": list(books.links.values()),
            "payments": list(books.payments.values()),
            "refunds": list(books.refunds.values()),
            "undelivered": sum(webhook.next_at is not None for webhook in books.outbox.webhooks),
        }
