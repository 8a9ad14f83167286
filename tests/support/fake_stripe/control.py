"""The control door, `/_control/…`: what visitors, banks and networks do when a test or a storm says so."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from tests.support.fake_gateway.delivery import Manner, instruct
from tests.support.fake_gateway.trouble import Troubles
from tests.support.fake_stripe.books import Books, How, Refunds
from tests.support.fake_stripe.shelf import Refusal, Thing, shown

Body = dict[str, Any]
INDIA = timezone(timedelta(hours=5, minutes=30))
HOW = {  # by what a try is and becomes, in the words of the other fake
    ("captured", ""): How.CARD,
    ("failed", ""): How.DECLINE,
    ("authorized", ""): How.HOLD,
    ("created", "captured"): How.UPI,
    ("created", "failed"): How.UPI_FAILS,
}


def control(action: str, body: Body, *, books: Books, manner: Manner, troubles: Troubles, sent: list[str]) -> Body:
    """Do it, and say what came of it. Every body may be empty.

    attempt: `reference`, `status` (captured, authorized, failed, created), then `becomes` (captured, failed) after
    `seconds`. refunds: `payment_id` ("": all), `become` (processed, failed) at finish_refunds, or done. settle.
    trouble: `kind`, `path`, `times`. webhooks: `url`, `copies`, `shuffled`, `silent`, `secret`. ahead: `seconds`.
    """
    match action:
        case "attempt":
            return {"payment": _attempt(books, body)}
        case "refunds":
            become = {"processed": Refunds.PENDING, "failed": Refunds.FAILED, "done": Refunds.DONE}
            books.refunds_become[body.get("payment_id", "")] = become[body.get("become", "processed")]
        case "finish_refunds":
            books.finish_refunds()
        case "settle":
            return {"settlement_id": books.settle(datetime.now(INDIA).date())}
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
            raise Refusal(404, "no such action")
    return {}


def _attempt(books: Books, body: Body) -> Thing | None:
    """None: the page takes no money any more."""
    sessions = books.sessions_of(body["reference"])
    if not sessions:
        raise Refusal(404, "no page was made for this reference")
    how = HOW[body.get("status", "captured"), body.get("becomes", "")]
    if not books.pay(sessions[-1]["id"], how, float(body.get("seconds", 0))):
        return None
    return shown(books.intents.get(sessions[-1]["payment_intent"]))


def _everything(books: Books) -> Body:
    """What a storm compares with our own books."""
    with books.lock:
        shelves = {"links": books.sessions, "payments": books.intents, "refunds": books.refunds}
        dump: Body = {name: [shown(thing) for thing in shelf.things.values()] for name, shelf in shelves.items()}
        dump["undelivered"] = sum(webhook.next_at is not None for webhook in books.outbox.webhooks)
        return dump
