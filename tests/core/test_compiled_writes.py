"""A row that is stored by a text made once is the row that Django would have stored."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from backend.bookings.intents import Intent
from backend.bookings.models import Booking, LedgerEntry, Link, Purpose
from backend.core import compiled_writes
from backend.ops.models import TimerRun
from backend.outbox.models import Message, PausedQueue, Queue
from backend.payments.models import Payment
from backend.people.models import Client
from tests.support import factories

pytestmark = pytest.mark.django_db
OWN = {"id", "uuid", "acknowledgement_id", "digest", "dedupe_key", "message_uuid", "sequence", "stable_id", "email"}
SEALED = {"emergency_contact", "user_message"}  # with a nonce of its own


def _rows(now: datetime) -> list[tuple[Model, Model]]:
    """Two of each model that is stored so, which differ in what must differ."""
    booking = factories.make_booking("CONFIRMED", now=now)
    copies = [_copy(booking) for _ in range(2)]
    entries = [
        LedgerEntry(booking=booking, sequence=90 + n, at=now, intent=Intent.APPROVE, details={"a": [1, "ü"]})
        for n in range(2)
    ]
    mails = [
        Message(
            queue=Queue.MAIL,
            kind="x",
            dedupe_key=f"k{n}",
            recipient="a@example.org",
            mailbox="a@example.org",
            not_before=now,
            next_attempt_at=now,
            created_at=now,
        )
        for n in range(2)
    ]
    links = [
        Link(
            booking=booking,
            purpose=Purpose.BOOKING,
            message_uuid=uuid4(),
            digest=f"{n}" * 64,
            key_id="a",
            created_at=now,
        )
        for n in range(2)
    ]
    clients = [Client(email=f"{n}@example.org", created_at=now) for n in range(2)]
    return [(rows[0], rows[1]) for rows in (copies, entries, mails, links, clients)]


def _copy(booking: Booking) -> Booking:
    kept = {c.attname: getattr(booking, c.attname) for c in Booking._meta.concrete_fields}
    return Booking(**{**kept, "id": None, "acknowledgement_id": f"MS-{uuid4().hex[:6].upper()}", "client_id": None})


@pytest.mark.parametrize("crowd", [compiled_writes.CROWD, 1])
def test_it_stores_what_django_stores(crowd: int, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_writes, "CROWD", crowd)
    for ours, djangos in _rows(now):
        assert compiled_writes.insert([ours])
        djangos.save(force_insert=True)
        model, passed = type(ours), OWN | SEALED
        stored = [model.objects.filter(pk=row.pk).values().get() for row in (ours, djangos)]  # type: ignore[attr-defined]
        assert _without(stored[0], passed) == _without(stored[1], passed), model
        assert not ours._state.adding


@pytest.mark.postgres_only
def test_a_crowd_is_bound_by_lists_and_nothing_of_it_is_cut(now: datetime) -> None:
    booking = factories.make_booking("CONFIRMED", now=now)

    def entries(actor: str) -> list[LedgerEntry]:
        intents = [Intent.APPROVE, "approve"] * compiled_writes.CROWD  # members of an enum beside their texts
        given = {"booking": booking, "at": now, "actor": actor}
        return [LedgerEntry(sequence=90 + n, intent=one, **given) for n, one in enumerate(intents)]

    with CaptureQueriesContext(connection) as asked:
        assert compiled_writes.insert(entries("timer"))
    assert "unnest" in asked[0]["sql"]
    stored = LedgerEntry.objects.filter(booking=booking, sequence__gte=90).order_by("pk")
    assert [(one.sequence, one.intent) for one in stored] == [(90 + n, "approve") for n in range(len(stored))]
    with pytest.raises(DataError), transaction.atomic():
        compiled_writes.insert(entries("x" * 1000))


@pytest.mark.postgres_only
def test_what_all_of_a_crowd_have_is_bound_once_but_a_sealed_text_for_each(now: datetime) -> None:
    booking = factories.make_booking("CONFIRMED", now=now)
    crowd = [_copy(booking) for _ in range(compiled_writes.CROWD)]
    text = "one and the same text"
    for one in crowd:
        one.user_message, one.city = text, "Kochi"
    with CaptureQueriesContext(connection) as asked:
        compiled_writes.insert(crowd)
    assert asked[0]["sql"].count("Kochi") == 1
    assert asked[0]["sql"].count(crowd[0].acknowledgement_id) == 1
    stored = Booking.objects.filter(pk__in=[one.pk for one in crowd])
    assert [(one.user_message, one.city) for one in stored] == [(text, "Kochi")] * len(crowd)


@pytest.mark.postgres_only
def test_a_crowd_that_differs_in_nothing_is_as_many_rows(now: datetime) -> None:
    runs = [TimerRun(timer="x", started_at=now, finished_at=now) for _ in range(compiled_writes.CROWD)]
    compiled_writes.insert(runs)
    assert len({run.pk for run in runs}) == TimerRun.objects.count() == len(runs)


def test_a_row_is_made_as_its_class_makes_it(now: datetime) -> None:
    named = {"queue": "mail", "kind": "x", "dedupe_key": "x", "recipient": "", "last_error": "", "correlation_id": ""}
    named |= {"uuid": uuid4(), "not_before": now, "next_attempt_at": now, "created_at": now}
    ours = compiled_writes.new(Message, **named)
    theirs = Message(**{**named, "uuid": uuid4(), "dedupe_key": "y"})
    for made in (ours, theirs):
        compiled_writes.insert([made])
    ours, theirs = Message.objects.order_by("pk").values()
    assert _without(ours, {"id", "uuid", "dedupe_key"}) == _without(theirs, {"id", "uuid", "dedupe_key"})
    for wrong in ({"context": {"name": "Asha"}}, {"id": 7}, {"nothing": 1}):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            compiled_writes.new(Message, **named, **wrong)


def test_a_row_is_made_of_every_column(now: datetime) -> None:
    booking = factories.make_booking("CONFIRMED", now=now)
    given = {"at": now, "intent": "approve", "source": "", "target": "", "reason": "", "actor": "a", "details": {}}
    made = compiled_writes.new(LedgerEntry, booking_id=booking.pk, sequence=90, correlation_id="", **given)
    assert made._state.adding
    assert vars(made).keys() == vars(LedgerEntry()).keys()
    compiled_writes.insert([made])
    assert LedgerEntry.objects.get(pk=made.pk).booking == booking
    with pytest.raises(TypeError, match="correlation_id"):
        compiled_writes.new(LedgerEntry, booking_id=booking.pk, sequence=91, **given)


def _without(row: dict[str, object], passed: set[str]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in passed}


def test_sealed_texts_open_again(now: datetime) -> None:
    booking = _copy(factories.make_booking("CONFIRMED", now=now))
    compiled_writes.insert([booking])
    assert Booking.objects.get(pk=booking.pk).user_message == booking.user_message != ""


def test_many_are_one_statement_and_each_gets_its_id(now: datetime) -> None:
    clients = [Client(email=f"{n}@example.org", created_at=now) for n in range(3)]
    with CaptureQueriesContext(connection) as asked:
        compiled_writes.insert(clients)
    assert len(asked) == 1
    assert [Client.objects.get(pk=client.pk).email for client in clients] == [client.email for client in clients]


def test_a_text_is_stored_as_it_is_whatever_it_would_mean_in_a_statement(now: datetime) -> None:
    odd = "O'Brien \\' %s %% $1 ; -- 'प्रिय' \n\t\""
    client = Client(email="odd@example.org", full_name=odd, created_at=now)
    compiled_writes.insert([client])
    assert Client.objects.get(pk=client.pk).full_name == odd


@pytest.mark.postgres_only
def test_a_text_that_postgresql_cannot_hold_is_refused_as_django_refuses_it(now: datetime) -> None:
    with pytest.raises((DataError, ValueError), match="NUL"), transaction.atomic():
        compiled_writes.insert([Client(email="nul@example.org", full_name="a\0b", created_at=now)])


def test_a_collision_where_it_is_expected_is_passed_over_and_told(now: datetime) -> None:
    booking = factories.make_booking("CONFIRMED", now=now)
    same = _copy(booking)
    same.acknowledgement_id = booking.acknowledgement_id
    assert not compiled_writes.insert([same], unless_exists="acknowledgement_id")
    assert same.pk is None
    with pytest.raises(IntegrityError):
        compiled_writes.insert([same])


def test_columns_of_a_row_are_stored_and_no_others(now: datetime) -> None:
    booking = factories.make_booking("CONFIRMED", now=now)
    booking.user_message, booking.city, booking.psychologist_id = "Anew.", "Mumbai", None
    compiled_writes.update(booking, {"user_message", "psychologist"})
    kept = Booking.objects.get(pk=booking.pk)
    assert (kept.user_message, kept.psychologist, kept.city) == ("Anew.", None, "Pune")
    with pytest.raises(TypeError, match="no such columns"):
        compiled_writes.update(booking, {"nothing"})
    booking.pk = 0
    with pytest.raises(RuntimeError, match="is gone"):
        compiled_writes.update(booking, {"city"})


def test_a_default_of_the_database_is_stored_and_known(now: datetime) -> None:
    payment = Payment(
        booking=factories.make_booking("APPROVED", now=now), reference="P", amount_paise=1, started_at=now
    )
    compiled_writes.insert([payment])
    assert payment.page_state == Payment.objects.get(pk=payment.pk).page_state == ""


def test_a_table_that_only_django_can_write_to_is_refused() -> None:
    with pytest.raises(TypeError, match="not bound as they are"):
        compiled_writes.insert([PausedQueue()])
