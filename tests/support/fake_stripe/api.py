"""What the fake's API answers, as far as it is documented and asked for."""

from __future__ import annotations

import re

from tests.support.fake_stripe.books import Books
from tests.support.fake_stripe.idempotency import Form
from tests.support.fake_stripe.shelf import Refusal, Shelf, Thing

PRICE = "line_items[0][price_data]"
SESSION_FIELDS = {  # what the fake takes; Stripe takes more, and refuses what it does not know, as this does
    *("mode", "client_reference_id", "success_url", "cancel_url", "expires_at", "adaptive_pricing[enabled]"),
    *("line_items[0][quantity]", f"{PRICE}[currency]", f"{PRICE}[unit_amount]", f"{PRICE}[product_data][name]"),
    *("metadata[*]", "payment_intent_data[metadata][*]"),
}
REFUND_FIELDS = {"payment_intent", "amount", "metadata[*]"}


def answer_to(books: Books, method: str, parts: list[str], fields: Form) -> Thing:
    """The object at a path behind /v1/. Raises Refusal."""
    books.advance()
    match (method, *parts):
        case ("POST", "checkout", "sessions"):
            return _open_session(books, fields)
        case ("GET", "checkout", "sessions"):
            return _list(books, books.sessions, fields, ("status", "payment_intent"))
        case ("GET", "checkout", "sessions", id_):
            return books.sessions.get(id_)
        case ("POST", "checkout", "sessions", id_, "expire"):
            return books.expire(id_)
        case ("POST", "payment_intents", id_, "capture"):
            return books.capture(id_)
        case ("POST", "refunds"):
            return _refund(books, fields)
        case ("GET", "refunds"):
            if "payment_intent" in fields:
                books.intents.get(fields["payment_intent"])
            return _list(books, books.refunds, fields, ("payment_intent",))
        case ("GET", "payouts"):
            return _list(books, books.payouts, fields, ("status",))
        case ("GET", "balance_transactions"):
            return _list(books, books.booked, fields, ("payout", "type"))
    raise Refusal(404, f"Unrecognized request URL ({method}: /v1/{'/'.join(parts)}).")


def _open_session(books: Books, fields: Form) -> Thing:
    _refuse_unknown(fields, SESSION_FIELDS)
    for name in ("mode", "success_url", f"{PRICE}[currency]", f"{PRICE}[unit_amount]", f"{PRICE}[product_data][name]"):
        if not fields.get(name):
            raise Refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    return books.open_session(
        amount=_number(fields, f"{PRICE}[unit_amount]") * _number(fields, "line_items[0][quantity]"),
        currency=fields[f"{PRICE}[currency]"],
        expires_at=_number(fields, "expires_at") if "expires_at" in fields else None,
        client_reference_id=fields.get("client_reference_id"),
        metadata=_map(fields, "metadata"),
        success_url=fields["success_url"],
        cancel_url=fields.get("cancel_url"),
        _intent_metadata=_map(fields, "payment_intent_data[metadata]"),
        _name=fields[f"{PRICE}[product_data][name]"],
    )


def _refund(books: Books, fields: Form) -> Thing:
    _refuse_unknown(fields, REFUND_FIELDS)
    intent_id, metadata = fields.get("payment_intent", ""), _map(fields, "metadata")
    return books.refund(intent_id=intent_id, amount=_number(fields, "amount"), metadata=metadata)


def _list(books: Books, shelf: Shelf, fields: Form, by: tuple[str, ...]) -> Thing:
    """The documented filters: equal values, and instants from and until."""
    ranges = [(match[1], match[2], _number(fields, name)) for name in fields if (match := _range(name))]
    _refuse_unknown(fields, {*by, "limit", "starting_after", *(f"{name}[{how}]" for name, how, _ in ranges)})
    compare = {"gte": int.__ge__, "gt": int.__gt__, "lte": int.__le__, "lt": int.__lt__}

    def is_wanted(thing: Thing) -> bool:
        is_equal = all(thing.get(name, thing.get(f"_{name}")) == fields[name] for name in by if name in fields)
        return is_equal and all(compare[how](thing[name], value) for name, how, value in ranges)

    limit = _number(fields, "limit") if "limit" in fields else 10
    if not 1 <= limit <= 100:
        raise Refusal(400, "Invalid limit", code="parameter_invalid_integer", param="limit")
    with books.lock:
        return shelf.page(is_wanted, limit, fields.get("starting_after", ""))


def _range(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"(created|arrival_date)\[(gte?|lte?)\]", name)


def _refuse_unknown(fields: Form, known: set[str]) -> None:
    for name in fields:
        if name not in known and re.sub(r"\[\w+\]$", "[*]", name) not in known:
            raise Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def _number(fields: Form, name: str) -> int:
    try:
        return int(fields.get(name, ""))
    except ValueError as error:
        raise Refusal(400, f"Invalid integer: {name}", code="parameter_invalid_integer", param=name) from error


def _map(fields: Form, prefix: str) -> dict[str, str]:
    found = {name: re.fullmatch(re.escape(prefix) + r"\[(\w+)\]", name) for name in fields}
    return {match[1]: fields[name] for name, match in found.items() if match}
