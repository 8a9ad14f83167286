"""What Razorpay's banks and settings do when the control door says so."""

from __future__ import annotations

from typing import Any

from tests.support.fake_razorpay.books import Books
from tests.support.fake_razorpay.errors import unknown

Body = dict[str, Any]


def act(books: Books, action: str, body: Body) -> Body | None:
    """Do it, and say what came of it; None: there is no such action.

    attempt: `reference`, `status` (captured, authorized, failed, created), then `becomes` after `seconds`; `method`,
    `force` (the page takes no money any more, the bank does all the same). become: `payment_id`, `status`.
    account: `captures_by_itself`. refunds: `payment_id`, `become` (processed, failed) at finish_refunds. settle.
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
        case "settle":
            return {"settlement_id": books.settle()}
        case _:
            return None
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
