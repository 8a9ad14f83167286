"""People with a session ahead who chose a channel, and the reminder that each of them is owed."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from typing import Any, TypeVar
from uuid import uuid4

from django.db import models, transaction
from django.utils import timezone

from backend.bookings import links
from backend.bookings.lifecycle.notify import notify_visitor
from backend.bookings.link_models import Link
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, SlotClaim, new_acknowledgement_id
from backend.bookings.notices import Notice, links_carried
from backend.channels import consents
from backend.channels.channel import ChannelName
from backend.channels.models import Consent, Purpose
from backend.outbox.models import Message
from backend.people.models import Client
from tests.support import factories
from tests.texts.plan import Person, Plan

SESSIONS = 10  # of each psychologist, every two hours
CHUNK = 500
NAMES = tuple(ChannelName)
M = TypeVar("M", bound=models.Model)


def owe(plan: Plan) -> list[Person]:
    """One after the other comes due, from a moment on that leaves time to start the workers."""
    now = timezone.now()
    with transaction.atomic():
        first = _first(Person(0, NAMES[0], 0), now=now)
    people = [Person(number, NAMES[number % len(NAMES)], 0) for number in range(1, plan.people)]
    made = [Person(0, NAMES[0], first.pk)]
    for at in range(0, len(people), CHUNK):
        with transaction.atomic():
            made += _like(first, people[at : at + CHUNK])
    return made


def come_due(plan: Plan, people: list[Person]) -> None:
    """From now on."""
    now, number_of = timezone.now(), {person.booking_id: person.number for person in people}
    reminders = list(Message.objects.filter(kind=Notice.SESSION_APPROACHING).defer("context"))
    for row in reminders:
        number = number_of[row.booking_id or 0]
        row.not_before = row.next_attempt_at = now + timedelta(seconds=plan.due_within * number / plan.people)
    Message.objects.bulk_update(reminders, ["not_before", "next_attempt_at"], batch_size=CHUNK)


def _first(person: Person, *, now: datetime) -> Booking:
    """By the functions that write such rows."""
    client = factories.make_client(person.email, now=now, phone_number=person.phone)
    given = {"phone_number": person.phone, "by": "visitor", "notice_version": "1", "now": now}
    consents.choose(client.pk, Purpose.REMINDERS, ChannelName(person.channel), **given)  # type: ignore[arg-type]
    booking = factories.make_booking(
        State.CONFIRMED, now=now, client=client, email=person.email, phone_number=person.phone, **_session(0, now)
    )
    notify_visitor(booking, Notice.SESSION_APPROACHING, now=now, not_before=now + timedelta(hours=1))
    return booking


def _session(number: int, now: datetime) -> dict[str, datetime]:
    starts_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=4 + 2 * (number % SESSIONS))
    return {"slot_start": starts_at, "slot_end": starts_at + timedelta(hours=1)}


def _like(first: Booking, people: list[Person]) -> list[Person]:
    """The same rows of others, many at once."""
    consent, [claim] = Consent.objects.get(client=first.client_id), SlotClaim.objects.filter(booking=first)
    ledger = list(LedgerEntry.objects.filter(booking=first))
    message = Message.objects.get(booking_id=first.pk, kind=Notice.SESSION_APPROACHING)
    bookings = _bookings(first, people)
    pairs = list(zip(people, bookings, strict=True))
    chosen = [{"client_id": b.client_id, "phone_number": p.phone, "channel": p.channel} for p, b in pairs]
    _made(Consent, [_copy(consent, **one) for one in chosen])
    _made(LedgerEntry, [_copy(entry, booking_id=booking.pk) for booking in bookings for entry in ledger])
    _made(SlotClaim, [_copy(claim, **_claimed(booking)) for booking in bookings])
    owed = _made(Message, [_copy(message, **_owed(message, first, booking)) for booking in bookings])
    purposes = links_carried(Notice.SESSION_APPROACHING, first.state)
    carried = [
        links._links(booking, purpose, row.uuid, now=row.created_at)  # which `issue` writes one message at a time
        for booking, row in zip(bookings, owed, strict=True)
        for purpose in purposes
    ]
    _made(Link, list(chain.from_iterable(carried)))
    return [Person(person.number, person.channel, booking.pk) for person, booking in pairs]


def _bookings(first: Booking, people: list[Person]) -> list[Booking]:
    """With their clients, and with a psychologist for as many as have room in two days."""
    client = Client.objects.get(pk=first.client_id)
    clients = _made(Client, [_copy(client, email=p.email, phone_number=p.phone, stable_id=uuid4()) for p in people])
    rooms = sorted({person.number // SESSIONS for person in people})
    leads = {
        room: factories.make_psychologist(f"Dr. {room}", email=f"d{people[0].number}-{room}@storm.example")
        for room in rooms
    }
    asked_at = first.created_at + timedelta(hours=6)
    return _made(
        Booking,
        [
            _copy(
                first,
                **_session(person.number, asked_at),
                acknowledgement_id=new_acknowledgement_id(),
                client_id=client.pk,
                email=person.email,
                phone_number=person.phone,
                psychologist_id=leads[person.number // SESSIONS].pk,
                language="hi" if person.number % 2 else "en",
            )
            for person, client in zip(people, clients, strict=True)
        ],
    )


def _claimed(booking: Booking) -> dict[str, Any]:
    ends = {"blocked_from": booking.slot_start, "blocked_until": booking.slot_end}
    return {"booking_id": booking.pk, "psychologist_id": booking.psychologist_id, **ends}


def _owed(message: Message, first: Booking, booking: Booking) -> dict[str, Any]:
    key = message.dedupe_key.replace(f":{first.pk}:", f":{booking.pk}:")
    whose = {"booking_id": booking.pk, "recipient": booking.email, "mailbox": booking.email}
    return {"uuid": uuid4(), "dedupe_key": key, **whose}


def _copy(row: M, **changes: Any) -> M:
    same = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}
    return type(row)(**(same | changes))


def _made(kind: type[M], rows: list[M]) -> list[M]:
    return list(kind._default_manager.bulk_create(rows))
