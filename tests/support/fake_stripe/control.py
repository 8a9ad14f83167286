"""What Stripe's banks and settings do when the control door says so."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

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


def act(books: Books, action: str, body: Body) -> Body | None:
    """Do it, and say what came of it; None: there is no such action.

    attempt: `reference`, `status` (captured, authorized, failed, created), then `becomes` (captured, failed) after
    `seconds`. speak: `payment_id`. refunds: `payment_id` ("": all), `become` (processed, failed) at finish_refunds, or
    done. settle.
    """
    match action:
        case "attempt":
            return {"payment": _attempt(books, body)}
        case "speak":
            return {"payment": shown(books.speak(body["payment_id"]))}
        case "refunds":
            become = {"processed": Refunds.PENDING, "failed": Refunds.FAILED, "done": Refunds.DONE}
            books.refunds_become[body.get("payment_id", "")] = become[body.get("become", "processed")]
        case "settle":
            return {"settlement_id": books.settle(datetime.now(INDIA).date())}
        case _:
            return None
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
