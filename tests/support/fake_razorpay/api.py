"""Which address of the API does what."""

from __future__ import annotations

import copy

from tests.support.fake_razorpay.books import Books
from tests.support.fake_razorpay.entities import Entity
from tests.support.fake_razorpay.errors import Rejected, require

Query = dict[str, str]


def answer_to(books: Books, method: str, parts: list[str], query: Query, body: Entity, key: str | None) -> Entity:
    """The answer's JSON, as it is at this moment."""
    with books.lock:
        return copy.deepcopy(_answer(books, method, parts, query, body, key))


def _answer(books: Books, method: str, parts: list[str], query: Query, body: Entity, key: str | None) -> Entity:
    match method, *parts:
        case "POST", "payment_links":
            return books.create_link(body)
        case "GET", "payment_links":
            return {"payment_links": books.links_with(query.get("reference_id", ""))}
        case "GET", "payment_links", link_id:
            return books.link(link_id)
        case "POST", "payment_links", link_id, "cancel":
            return books.cancel_link(link_id)
        case "GET", "orders", order_id:
            books.payments_of(order_id)  # refuses an order that is not there
            return books.orders[order_id]
        case "GET", "orders", order_id, "payments":
            return _collection(books.payments_of(order_id))
        case "GET", "payments":
            since, until = int(query.get("from", 946_684_800)), int(query.get("to", 4_765_046_400))
            require(946_684_800 <= since <= 4_765_046_400, "from must be between 946684800 and 4765046400")
            return _page(books.payments_between(since, until), query, most=100)
        case "GET", "payments", payment_id:
            return books.payment(payment_id)
        case "POST", "payments", payment_id, "capture":
            return books.capture(payment_id, body)
        case "POST", "payments", payment_id, "refund":
            return books.refund(payment_id, body, key)
        case "GET", "payments", payment_id, "refunds":
            return _page(books.refunds_for(payment_id), query, most=100)
        case "GET", "settlements", "recon", "combined":
            day = int(query["year"]), int(query["month"]), int(query["day"])
            return _page(books.settled_on(*day), query, most=1000)
    raise Rejected("The requested URL was not found on the server.", status=404)


def _page(found: list[Entity], query: Query, *, most: int) -> Entity:
    """Ten, unless more are asked for."""
    count, skip = int(query.get("count", 10)), int(query.get("skip", 0))
    require(count >= 1, "The count must be at least 1.", "count")
    require(count <= most, f"The count may not be greater than {most}.", "count")
    return _collection(found[skip : skip + count])


def _collection(items: list[Entity]) -> Entity:
    return {"entity": "collection", "count": len(items), "items": items}
