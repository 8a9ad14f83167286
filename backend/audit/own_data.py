"""All that we keep of one person, for that person: what stands in each table about them, and who read of it.

The classification of the columns (`core/personal_data.py`) decides what is personal; a row is given whole all the same,
so that a state, an amount or an hour is told, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

from backend.audit import readings
from backend.bookings import links, queries
from backend.bookings.models import Booking, DataRequest, Link, Purpose
from backend.bookings.notices import OF_A_PERSON, Notice
from backend.channels.models import Consent
from backend.core import disclosures
from backend.core.errors import Code, Refused
from backend.core.personal_data import personal_columns
from backend.outbox import patience
from backend.outbox.mailboxes import mailbox_of
from backend.outbox.models import ClosedMailbox, Message
from backend.payments.models import Receipt
from backend.people.models import Client

YEAR = timedelta(days=365)
TABLES: dict[str, type[models.Model]] = {
    "you": Client,
    "earlier versions": Client.history.model,
    "requests and sessions": Booking,
    "emails to you": Message,
    "what you asked of us": DataRequest,
    "receipts": Receipt,
    "whether email reaches you": ClosedMailbox,
    "texts to your telephone": Message,
    "what may be written to your telephone": Consent,
}
# who or what else columns are about; who wrote an enquiry is known by its text alone, which nobody can look for
NOT_GIVEN = {
    "rooms.Room": "the random name of where a session meets; its page is in the mails, and it is gone with the session",
    "accounts.Authenticator": "staff",
    "accounts.Session": "staff",
    "ops.Act": "staff",
    "outbox.OutletState": "a mail provider",
    "outbox.PausedQueue": "staff",
    "webhooks.Secret": "a server that is called",
    "webhooks.Subscription": "a server that is called",
    "people.Psychologist": "staff",
    "people.HistoricalPsychologist": "staff",
    "people.TimeOff": "staff",
    "people.HistoricalTimeOff": "staff",
    "people.Corporate": "an employer",
    "people.HistoricalCorporate": "an employer",
    "api.LookupMiss": "a network, for an hour",
    "bookings.KeptAnswer": "what was answered to a request, for a day",
    "people.Enquiry": "whoever wrote it, found by its text alone",
    "payments.ReceiptFile": "the same as the receipts, as the documents that a booking's link opens",
}
SPEAK_OF_NO_BOOKING = (Notice.NOTHING_OPEN, *OF_A_PERSON)
Rows = list[dict[str, Any]]


def proved_by(token: str, *, now: datetime) -> tuple[Booking, Client]:
    """Whose data a mailed link opens, and by which booking. Refuses: link_unknown, link_expired."""
    link: Link = links.find(token, Purpose.DATA)
    if link.expires_at is None or link.expires_at <= now:
        raise Refused(Code.LINK_EXPIRED)
    if link.booking.client is None:
        raise Refused(Code.LINK_UNKNOWN)
    return link.booking, link.booking.client


def of(client: Client, *, now: datetime) -> dict[str, Rows]:
    """By table, oldest row first. It is the person's own, so no reading is recorded."""
    bookings = Booking.objects.filter(client=client).select_related("psychologist").order_by("pk")
    ids = list(bookings.values_list("pk", flat=True))
    requests = DataRequest.objects.filter(client=client).order_by("pk")
    about = Q(booking_id__in=ids) | Q(booking_id=None, kind__in=SPEAK_OF_NO_BOOKING)
    mails = Message.objects.filter(about, recipient=client.email).exclude(recipient="").order_by("pk")
    box = mailbox_of(client.email) or None  # the empty one is nobody's
    texts = Message.objects.filter(booking_id__in=ids, kind__startswith=f"{patience.TEXT}:").order_by("pk")
    chosen = Consent.objects.filter(client=client).order_by("pk")
    with disclosures.unseen():
        found = {
            "you": [_whole(client)],
            "earlier versions": [_whole(row) for row in client.history.order_by("history_date", "pk")],
            "requests and sessions": [_booking(row) for row in bookings],
            "emails to you": [_mail(row) for row in mails],
            "what you asked of us": [_whole(row) for row in requests],
            "receipts": [_whole(row) for row in Receipt.objects.filter(payment__booking__in=ids)],
            "whether email reaches you": [_whole(row) for row in ClosedMailbox.objects.filter(mailbox=box)],
            "texts to your telephone": [_text(row) for row in texts],
            "what may be written to your telephone": [_whole(row) for row in chosen],
        }
    since = now - YEAR
    found["who read of you, in the last 365 days"] = [_reading(row) for row in readings.of_client(client, since=since)]
    return found


def _whole(row: models.Model) -> dict[str, Any]:
    return {field.name: field.value_from_object(row) for field in row._meta.concrete_fields}


def _mail(row: Message) -> dict[str, Any]:
    """Without how it was delivered."""
    names = ("kind", "created_at", "state", "settled_at", *personal_columns(Message))
    return {name: getattr(row, name) for name in names}


def _text(row: Message) -> dict[str, Any]:
    """By which channel, and whether it arrived; the words are the same for everybody."""
    _, channel, kind = row.kind.split(":")
    return {**_mail(row), "kind": kind, "channel": channel, "delivery": row.delivery, "delivery_at": row.delivery_at}


def _booking(row: Booking) -> dict[str, Any]:
    """Whom they see is told by name."""
    name = row.psychologist.full_name if row.psychologist else ""
    return {**_whole(row), "psychologist": name, "payment_status": queries.payment_status_value(row)}


def _reading(row: readings.Reading) -> dict[str, Any]:
    return {"at": row.at, "who": row.who, "act": row.act, "what": list(row.what)}
