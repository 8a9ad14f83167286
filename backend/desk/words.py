"""What staff read instead of what is stored: the name of a message, and what a ledger row says beside its intent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from datetime import date, datetime

from django.db import models

from backend.bookings.ledger_details import Details, typed_details
from backend.bookings.models import Booking, LedgerEntry, Outcome
from backend.bookings.notices import Notice
from backend.channels.models import CHANNELS
from backend.core.formatting import money, short_day, short_day_and_time
from backend.outbox import patience
from backend.payments.models import Payment, Refund, VoidReason
from backend.people.models import Corporate, Psychologist

_GATEWAY = {  # `refunds.GatewayWork`, what the payments worker does
    "ensure_order": "open an order at the gateway",
    "ask_gateway": "ask the gateway about a payment",
    "look_at_order": "ask the gateway what happened to a payment",
    "close_order": "close the gateway's page of a payment that is over",
    "make_refund": "have the gateway send money back",
    "make_receipt": "make a receipt's document",
}
_ROWS: Mapping[str, tuple[type[models.Model], str]] = {  # a field of details, what it names, and by which column
    "psychologist": (Psychologist, "full_name"),
    "from_psychologist": (Psychologist, "full_name"),
    "to_psychologist": (Psychologist, "full_name"),
    "corporate": (Corporate, "name"),
    "not_sponsored_by": (Corporate, "name"),
    "payment": (Payment, "reference"),
    "refund": (Refund, "reference"),
    "more_refunds": (Refund, "reference"),
    "follows": (Booking, "acknowledgement_id"),
    "instead_of": (Booking, "acknowledgement_id"),
}
_WORDS = {
    "was": "from", "to_psychologist": "to", "from_psychologist": "from", "corporate": "sponsor",
    "instead_of": "instead of", "follows": "after", "alternatives": "times offered", "due_was": "deadline then",
    "asked_was": "cancellation asked", "choice_was": "choice open until",
    "decision": "step", "taken_from_sponsor": "taken from the sponsor for",
}  # fmt: skip
_UNNAMED = ("psychologist", "amount_paise", "payment", "refund", "more_refunds")  # a value that says what it is
Names = Mapping[tuple[type[models.Model], int], str]


def message_name(kind: str) -> str:
    """Of a mail, a text or an order to the gateway: `request approved`. A kind of an older version stays as it is."""
    if kind in _GATEWAY:
        return _GATEWAY[kind]
    if kind.startswith(f"{patience.TEXT}:"):
        _, channel, notice = kind.split(":")
        return f"{message_name(notice)} by {dict(CHANNELS).get(channel, channel)}"
    return Notice(kind).label if kind in Notice else kind.replace("_", " ")


def ledger_words(entries: Iterable[LedgerEntry]) -> dict[int, str]:
    """By the row's number: `Dr. Meera Iyer, ₹1500.00`. A query for each kind of row that is named."""
    details = {entry.sequence: _details(entry) for entry in entries}
    names = _names(details.values())
    return {sequence: ", ".join(_facts(one, names)) for sequence, one in details.items()}


def _details(entry: LedgerEntry) -> Details:
    """A row that cannot be read any more hides none of the others."""
    try:
        return typed_details(entry)
    except ValueError:
        return Details()


def _told(details: Details) -> Iterator[tuple[Field[object], object]]:
    for one in fields(details):
        value = getattr(details, one.name)
        if value is not None and (one.default is MISSING or value != one.default):
            yield one, value


def _facts(details: Details, names: Names) -> Iterator[str]:
    for one, value in _told(details):
        word = _WORDS.get(one.name, one.name.removesuffix("_paise").replace("_", " "))
        text = _text(one.name, value, names)
        yield text if one.name in _UNNAMED else f"{word} {text}"


def _text(name: str, value: object, names: Names) -> str:
    if isinstance(value, tuple):
        return ", ".join(_text(name, one, names) for one in value)
    if name in _ROWS and isinstance(value, int):
        return names.get((_ROWS[name][0], value), str(value))
    if name.endswith("_paise") and isinstance(value, int):
        return money(value)
    if isinstance(value, datetime):
        return short_day_and_time(value)
    if isinstance(value, date):
        return short_day(value)
    return str(value.label) if isinstance(value, Outcome | VoidReason) else str(value)


def _names(details: Iterable[Details]) -> Names:
    asked: dict[tuple[type[models.Model], str], set[object]] = defaultdict(set)
    for one in details:
        for column, value in _told(one):
            if column.name in _ROWS:
                asked[_ROWS[column.name]].update(value if isinstance(value, tuple) else (value,))
    return {
        (model, pk): name
        for (model, shown), ids in asked.items()
        for pk, name in model._default_manager.filter(pk__in=ids).values_list("pk", shown)
    }
