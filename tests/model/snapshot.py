"""Every row that a booking's life touches, read at one moment, so that two moments can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias

from django.db import connection, models

from backend.bookings.models import Alternative, Booking, DataRequest, LedgerEntry, Link, SlotClaim
from backend.channels.models import Consent
from backend.outbox.models import Message, Part
from backend.payments.models import InboxEvent, Payment, Receipt, ReceiptSeries, Refund
from backend.people.models import Client, TimeOff
from backend.rooms.models import Room

# mails that only remind, and so need the consent
REMINDS = {
    "draft_still_unverified",
    "payment_still_due",
    "choice_still_open",
    "session_approaching",
    "session_imminent",
}


class Row(SimpleNamespace):
    """One row, its columns as attributes."""


Rows: TypeAlias = dict[int, Row]


@dataclass(frozen=True)
class Snapshot:
    """All rows by id, in order of id. Equal pictures: nothing was written in between."""

    clients: Rows
    bookings: Rows
    ledger: Rows
    claims: Rows
    links: Rows
    payments: Rows
    refunds: Rows
    inbox: Rows
    messages: Rows
    alternatives: Rows
    time_off: Rows
    parts: Rows
    requests: Rows
    receipts: Rows
    receipt_series: Rows
    rooms: Rows
    consents: Rows

    def owed_about(self, booking_id: int) -> list[Row]:
        """The messages about this booking, by id; one about several as if it were about this one alone."""
        parts = {part.message_id: part for part in self.parts.values() if part.booking_id == booking_id}
        shared = {part.message_id for part in self.parts.values()}
        return [
            _alone(message, parts[message.id]) if message.id in parts else message
            for message in self.messages.values()
            if message.id in parts or (message.booking_id == booking_id and message.id not in shared)
        ]

    @property
    def attempts(self) -> list[Row]:
        """Payments that the gateway knows."""
        return [payment for payment in self.payments.values() if payment.method == "online"]

    @property
    def orders_back(self) -> list[Row]:
        """Refunds that the gateway is asked to make."""
        return [r for r in self.refunds.values() if self.payments[r.payment_id].method == "online"]

    @property
    def again(self) -> list[Row]:
        """Links to ask again."""
        return self.links_for("again")

    @property
    def cancel(self) -> list[Row]:
        """Links that prove a cancellation."""
        return self.links_for("cancel")

    @property
    def cancel_late(self) -> list[Row]:
        """Links that cancel until the session starts."""
        return self.links_for("cancel_late")

    @property
    def reschedule(self) -> list[Row]:
        """Links by which a visitor moves the session."""
        return self.links_for("reschedule")

    @property
    def alternative(self) -> list[Row]:
        """Links that take a time which a rejection offered."""
        return self.links_for("alternative")

    @property
    def data(self) -> list[Row]:
        """Links that show a person what is kept of them."""
        return self.links_for("data")

    @property
    def erasure(self) -> list[Row]:
        """Links that prove a wish to be erased, and stop it."""
        return self.links_for("erasure")

    @property
    def open_requests(self) -> list[Row]:
        """Wishes to be erased that are not over."""
        return [request for request in self.requests.values() if request.closed_at is None]

    @property
    def reminders(self) -> list[Row]:
        """Those that have not left yet."""
        return [row for row in self.messages.values() if row.kind in REMINDS and row.state == "waiting"]

    @property
    def treated(self) -> list[Row]:
        """Bookings that others may follow."""
        return [booking for booking in self.bookings.values() if booking.state in ("CONFIRMED", "COMPLETED")]

    @property
    def booking_links(self) -> list[Row]:
        """Links that prove a draft, and later read."""
        return self.links_for("booking")

    def links_for(self, purpose: str) -> list[Row]:
        """Every link of this purpose, used and expired ones too."""
        return [link for link in self.links.values() if link.purpose == purpose]

    def ledger_of(self, booking_id: int) -> list[Row]:
        """The booking's ledger by sequence."""
        found = [entry for entry in self.ledger.values() if entry.booking_id == booking_id]
        return sorted(found, key=lambda entry: entry.sequence)

    def payments_of(self, booking_id: int) -> list[Row]:
        """Every attempt of the booking and its money at the desk."""
        return [payment for payment in self.payments.values() if payment.booking_id == booking_id]

    def paying(self, booking_id: int) -> list[Row]:
        """The captures that pay for the booking: one, or parts of the sum."""
        return [p for p in self.payments_of(booking_id) if p.state == "captured" and not p.is_unexpected]

    def rest(self, booking_id: int) -> int:
        """What is left to pay of its price."""
        price = self.bookings[booking_id].amount_paise or 0
        return int(price) - sum(part.captured_paise for part in self.paying(booking_id))

    def paid(self, booking_id: int) -> bool:
        """Whether all of it is paid."""
        return bool(self.paying(booking_id)) and self.rest(booking_id) == 0

    def held(self, booking_id: int) -> int:
        """What the practice holds of what was paid for it."""
        return sum(self.left_paise(part) for part in self.paying(booking_id))

    def refunds_of(self, payment_id: int) -> list[Row]:
        """What went back or shall go back of a payment, those left out of which nothing comes."""
        over = ("refused", "withdrawn")
        return [r for r in self.refunds.values() if r.payment_id == payment_id and r.state not in over]

    def left_paise(self, payment: Row) -> int:
        """What of a capture is neither given back nor promised."""
        return int(payment.captured_paise) - sum(refund.amount_paise for refund in self.refunds_of(payment.id))


MODELS: tuple[type[models.Model], ...] = (
    Client,
    Booking,
    LedgerEntry,
    SlotClaim,
    Link,
    Payment,
    Refund,
    InboxEvent,
    Message,
    Alternative,
    TimeOff,
    Part,
    DataRequest,
    Receipt,
    ReceiptSeries,
    Room,
    Consent,
)


def _alone(message: Row, part: Row) -> Row:
    of_it = {name: getattr(part, name) for name in ("uuid", "kind", "booking_id", "ledger_sequence")}
    context = message.context
    if context and "sessions" in context:
        context = next((one for one in context["sessions"] if one["uuid"] == str(part.uuid)), None)
    return Row(**{**vars(message), **of_it, "context": context})


def _opened(row: models.Model) -> dict[str, Any]:
    """Its columns, sealed texts in clear."""
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}


class SnapshotReader:
    """Takes pictures one after the other. Only rows that changed since the last one are read through their model."""

    def __init__(self) -> None:
        self._raw: dict[type[models.Model], dict[int, tuple[object, ...]]] = {model: {} for model in MODELS}
        self._rows: dict[type[models.Model], Rows] = {model: {} for model in MODELS}

    def take(self) -> Snapshot:
        """The snapshot of this moment."""
        return Snapshot(*(self._table(model) for model in MODELS))

    def _table(self, model: type[models.Model]) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, t.* FROM {model._meta.db_table} t ORDER BY id")
            raw = {row[0]: row for row in cursor.fetchall()}
        before = self._raw[model]
        changed = [key for key, row in raw.items() if before.get(key) != row]
        found = map(_opened, model._default_manager.filter(pk__in=changed)) if changed else ()
        fresh = {values["id"]: Row(**values) for values in found}
        rows = {key: fresh[key] if key in fresh else self._rows[model][key] for key in raw}
        self._raw[model], self._rows[model] = raw, rows
        return rows
