"""Every sweep and look-up is served by an index, as PostgreSQL plans it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from backend.api import throttle
from backend.api.models import LookupMiss
from backend.bookings import links, queries, retention, sponsors
from backend.bookings.lifecycle import callers, creation, reconciliation, timers, visitor
from backend.bookings.machine import CALLED_OFF, State
from backend.bookings.models import Booking, Link, Purpose, SlotClaim
from backend.bookings.retention import Kind
from backend.core.compiled_queries import run_queries
from backend.core.errors import Refused
from backend.desk.dashboard import queries as today
from backend.desk.list.filters import AGAIN
from backend.ops import business_figures, gateway_figures, health
from backend.outbox import deliveries, messages
from backend.outbox.deliveries import DeliveryReport
from backend.outbox.models import Delivery, Message, Queue
from backend.payments.models import InboxEvent, Payment
from backend.people.models import Client, Corporate
from backend.reports import monthly_report
from backend.scheduling import claims, free_slots
from tests.support import holder, scenarios
from tests.support.asked import statements

pytestmark = [
    pytest.mark.postgres_only,
    pytest.mark.django_db,
]

NOW = datetime.fromisoformat("2026-11-23T04:30:00+00:00")

DELIVERED = DeliveryReport("mail-1", None, Delivery.DELIVERED)


def miss(call: Callable[[], object]) -> None:
    try:
        call()
    except Refused:
        return


LOOK_UPS: dict[str, tuple[str, Callable[[], Any]]] = {
    **{f"due {state}": ("booking_due", lambda state=state: list(queries.due(state, now=NOW))) for state in State},
    "attempts to ask after": ("booking_due", lambda: list(queries.attempts_to_ask_after(now=NOW))),
    "choices to lapse": ("booking_choice", lambda: list(queries.choices_to_lapse(now=NOW))),
    "drafts to purge": ("booking_purge", lambda: list(queries.drafts_to_purge(now=NOW))),
    "drafts to purge, with their clients": ("booking_purge", lambda: list(timers.purge_draft._due(NOW))),
    "links to purge": ("link_expiry", lambda: retention.delete(Kind.LINKS, now=NOW)),
    "a report of a delivery": ("message_provider_id", lambda: deliveries.note(DELIVERED, now=NOW)),
    "claim": ("message_claim", lambda: messages.claim(Queue.MAIL, now=NOW)),
    "elder notice": (
        "message_booking",
        lambda: holder.waits_for_older(
            Message(pk=10**9, booking_id=1, recipient="a@example.org", queue="mail"), now=NOW
        ),
    ),
    "mails a stranger caused": (
        "message_mailbox",
        lambda: messages.is_within_limits(["x"], "a@example.org", now=NOW, hourly=3, daily=5),
    ),
    "messages to blank": ("message_blank", lambda: messages.redact(retention.due(Kind.MAILS, NOW), now=NOW)),
    "answers to blank": ("message_answer", lambda: messages.redact(retention.due(Kind.ANSWERS, NOW), now=NOW)),
    "turns to mend": ("message_claim", lambda: messages.mend_turns(now=NOW)),
    "booking by id": (
        "bookings_booking_acknowledgement_id",
        lambda: list(queries.proved("MS-000000")),
    ),
    "link by token": ("bookings_link_digest", lambda: miss(lambda: links.find("x", Purpose.BOOKING))),
    "link of a message": ("link_message", lambda: links.token_of(Message().uuid)),
    "client by address": ("client_address_unique", lambda: list(Client.objects.filter(email="a@example.org"))),
    "active booking": ("booking_client|one_active_booking_per_client", lambda: creation.active_booking(Client(pk=1))),
    "who asks, and what they have going": (
        "booking_client",
        lambda: creation.lock_asker("v1@example.org", now=NOW),
    ),
    "a client's bookings": ("booking_client", lambda: visitor._latest_proved(Client(pk=1), now=NOW)),
    "what a sponsor's month has left": (
        "booking_sponsored",
        lambda: sponsors.outlook(Corporate(pk=1, sessions_a_month=1), now=NOW),
    ),
    "a sponsor's list": (
        "booking_sponsored",
        lambda: list(Booking.objects.filter(corporate=1).order_by("-pk")[:25]),
    ),
    "what was called off in a month": (
        "booking_called_off",
        lambda: list(Booking.objects.filter(closed_at__gte=NOW, closed_at__lt=NOW, state__in=CALLED_OFF)),
    ),
    "free or taken": (
        "claim_psychologist",
        lambda: claims.nearby_slots(claims.Slot(1, NOW, NOW + timedelta(hours=1)), now=NOW),
    ),
    "wishes for slots": (
        "booking_wish",
        lambda: free_slots._busy([1, 2], free_slots.SlotSearch(NOW, NOW + timedelta(days=31))),
    ),
    "claims of a month": (
        "claim_psychologist",
        lambda: free_slots._busy([1, 2], free_slots.SlotSearch(NOW, NOW + timedelta(days=31))),
    ),
    "what a sweep left behind": ("booking_due", lambda: run_queries(business_figures._due, now=NOW)),
    "cancellations left behind": ("booking_cancellation", lambda: run_queries(business_figures._unproved, now=NOW)),
    "drafts left behind": ("booking_purge", lambda: run_queries(business_figures._lapsed, now=NOW)),
    "mails of a day": ("message_blank", lambda: run_queries(business_figures._mails, now=NOW)),
    "effects that wait": ("message_claim", lambda: run_queries(health._waiting, now=NOW)),
    "dead letters": ("message_given_up", lambda: run_queries(health._dead, now=NOW)),
    "open attempts": ("one_open_attempt_per_booking", lambda: run_queries(business_figures._attempts, now=NOW)),
    "today's sessions": ("booking_slot", lambda: today._sessions(Booking.objects.all(), now=NOW)),
    "a month's requests": (
        "booking_verified",
        lambda: monthly_report._requests(Booking.objects.all(), NOW, NOW + timedelta(days=30)),
    ),
    "a day's wishes": ("booking_preferred", lambda: list(Booking.objects.filter(preferred_date=NOW.date()))),
    "who asked again, above the list": ("booking_again", lambda: list(Booking.objects.filter(AGAIN).order_by("-pk"))),
    "a psychologist's list": (
        "booking_psychologist",
        lambda: list(Booking.objects.filter(psychologist=1).order_by("-pk")[:50]),
    ),
    "sessions booked from one": ("booking_follows", lambda: list(Booking.objects.filter(follows=1))),
    "the same call": (
        "booking_caller",
        lambda: callers.recorded_just_now(None, scenarios.draft_of("", now=NOW), now=NOW),
    ),
    "gateways to compare": (
        r"payment_started[\s\S]*payment_captured[\s\S]*one_open_attempt",
        lambda: reconciliation.gateways_due(now=NOW),
    ),
    "attempts of some days": ("payment_started", lambda: list(Payment.objects.filter(started_at__gt=NOW))),
    "unexpected money": ("payment_unexpected", lambda: list(today._unexpected(Booking.objects.all(), now=NOW))),
    "payment by reference": ("payments_payment_reference", lambda: list(Payment.objects.filter(reference="x"))),
    "inbox": ("inbox_event_once", lambda: InboxEvent.objects.filter(gateway="s", event_id="e").exists()),
    "events in quarantine": ("inbox_odd", lambda: run_queries(gateway_figures._odd, now=NOW)),
    "misses": ("lookup_miss_once", lambda: list(LookupMiss.objects.filter(client="*", hour=throttle._hour(NOW)))),
}


def fill() -> None:
    """Enough rows in every table, with fresh statistics, that a plan is chosen by its cost and not by a tie."""
    numbers = range(1, 401)
    like = scenarios.submitted(now=NOW)
    clients = Client.objects.bulk_create(Client(email=f"v{n}@example.org", created_at=NOW) for n in numbers)
    bookings = Booking.objects.bulk_create(
        Booking(
            client=client,
            email=client.email,
            preferred_date=like.preferred_date,
            preferred_period=like.preferred_period,
            mode=like.mode,
            payment_mode=like.payment_mode,
            due_at=NOW + timedelta(hours=1),
            created_at=NOW,
            verified_at=NOW - timedelta(hours=n),
        )
        for n, client in enumerate(clients)
    )
    who = scenarios.psychologist()
    one, half = timedelta(hours=1), timedelta(minutes=30)
    SlotClaim.objects.bulk_create(
        SlotClaim(psychologist=who, booking=booking, blocked_from=NOW + n * one, blocked_until=NOW + n * one + half)
        for n, booking in zip(numbers, bookings, strict=True)
    )
    Link.objects.bulk_create(
        Link(
            booking=booking,
            purpose=Purpose.BOOKING,
            message_uuid=uuid4(),
            digest=f"{n:064}",
            key_id="0" * 8,
            created_at=NOW,
            expires_at=NOW + one,
        )
        for n, booking in zip(numbers, bookings, strict=True)
    )
    Payment.objects.bulk_create(
        Payment(booking=booking, reference=f"p{booking.pk}", amount_paise=1, currency="INR", started_at=NOW)
        for booking in bookings
    )
    InboxEvent.objects.bulk_create(InboxEvent(gateway="g", event_id=f"e{n}", received_at=NOW) for n in numbers)
    LookupMiss.objects.bulk_create(
        LookupMiss(client=f"10.0.{n >> 8}.{n & 255}", hour=throttle._hour(NOW)) for n in numbers
    )
    Message.objects.bulk_create(
        Message(
            dedupe_key=f"k{n}",
            booking_id=n,
            queue="mail",
            kind="x",
            recipient=f"v{n}@example.org",
            not_before=NOW,
            next_attempt_at=NOW,
            created_at=NOW,
        )
        for n in range(800)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def plans(look_up: Callable[[], Any]) -> list[str]:
    """Of every query that reads a table; what the look-up writes is undone."""
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        look_up()
        transaction.set_rollback(True)
    selects = [sql for sql in statements(captured) if sql.lstrip("(").startswith("SELECT") and " FROM " in sql]
    found = []
    for sql in selects:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + sql)
            found.append("\n".join(row[0] for row in cursor.fetchall()))
    return found


def test_every_look_up_uses_its_index() -> None:
    fill()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # tables this small are read whole, index or not
    found = {name: plans(look_up) for name, (_, look_up) in LOOK_UPS.items()}
    read_whole = {name for name, of_one in found.items() if any("Seq Scan" in plan for plan in of_one)}
    past_it = {name for name, (index, _) in LOOK_UPS.items() if not any(re.search(index, plan) for plan in found[name])}
    wrong = {name: found[name] for name in read_whole | past_it}
    assert not wrong, wrong


def test_no_index_of_the_bookings_repeats_the_beginning_of_another() -> None:
    """Each is written by every update of a booking that is not confined to columns without any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.relname, x.indkey::int[], x.indpred IS NULL, x.indisunique, am.amname FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am am ON am.oid = i.relam"
            " WHERE x.indrelid = 'bookings_booking'::regclass"
        )
        found = cursor.fetchall()
    whole = [row for row in found if row[2] and row[4] == "btree"]  # a part of the rows is worth an index of its own
    repeats = {
        (name, other)
        for name, columns, _, is_unique, _ in whole
        for other, longer, *_ in whole
        if not is_unique and name != other and longer[: len(columns)] == columns
    }
    assert repeats == set()
    assert len(found) <= 19


def test_every_index_of_the_bookings_is_one_that_a_look_up_uses() -> None:
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, Booking._meta.db_table)
    named = "|".join(index for index, _ in LOOK_UPS.values())
    unasked = {name for name, of_one in there.items() if of_one["index"] and not of_one["unique"]}
    unasked -= {"booking_words"}  # words of the desk's search: tests/desk/test_list.py
    assert {name for name in unasked if not re.search(named, name)} == set()


def test_every_index_and_constraint_that_a_model_declares_is_there() -> None:
    """A migration of one column can drop what stands on it without a word."""
    missing = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            there = connection.introspection.get_constraints(cursor, model._meta.db_table)
            # `booking_search` is for SQLite alone
            declared = [row for row in (*model._meta.indexes, *model._meta.constraints) if row.name != "booking_search"]
            missing += [f"{model.__name__}: {named.name}" for named in declared if named.name not in there]
    assert missing == []
