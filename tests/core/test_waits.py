"""Nobody waits for ever: a row that another transaction holds costs people a 503, and workers a later look."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
import time_machine
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.lifecycle import cancellation, visitor
from backend.bookings.lifecycle import transaction as steps
from backend.bookings.lifecycle.absence import Absence, AbsenceDecision, record_absence
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Purpose
from backend.bookings.notices import Notice
from backend.core import database_timeouts, row_locks
from backend.desk.list import bulk
from backend.outbox import attempts
from backend.outbox.models import Message, MessageState, Queue
from tests.support import api, scenarios
from tests.support.admin_site import action_url, form_of, owner
from tests.support.impatience import impatient, reconnected
from tests.support.link_pages import browser, shown
from tests.support.scenarios import RAVI
from tests.support.server import database_url
from workers import drain, mail, timers

pytestmark = [pytest.mark.django_db(transaction=True)]
ONCE = 0.3  # seconds that a wait of these tests may take
HOUR = timedelta(hours=1)


@pytest.fixture
def short() -> Iterator[None]:
    """Waits for a lock end soon."""
    usual = dict(connection.settings_dict["OPTIONS"])
    reconnected(**impatient(lock_timeout=ONCE))
    yield
    reconnected(**usual)


@contextmanager
def held_booking(booking: Booking) -> Iterator[None]:
    """The row is locked by somebody else."""
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT 1 FROM bookings_booking WHERE id = %s FOR UPDATE", [booking.pk])
        yield


@contextmanager
def one_wait(*, least: float = ONCE) -> Iterator[list[str]]:
    """One statement of the block ends because its wait does, not before `least`; a second wait would be another.

    The clock bounds it from below alone: a busy machine only adds. Yields what was waited with.
    """
    ended: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, *given: Any) -> Any:
        try:
            return execute(sql, *given)
        except DatabaseError as error:
            ended.extend([sql] if database_timeouts.is_timeout(error) else [])
            raise

    began = time.monotonic()
    with connection.execute_wrapper(watch):
        yield ended
    assert time.monotonic() - began >= least
    assert len(ended) == 1, ended


def told_to_come_back(response: HttpResponse) -> None:
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response["X-Correlation-ID"]


def everything() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Booking, LedgerEntry, Message)]


# -- those who serve people -------------------------------------------------------------------------------------------


@pytest.mark.postgres_only
def test_a_visitor_is_told_to_come_back_and_then_succeeds(short: None, now: datetime, caplog: Any) -> None:
    booking = scenarios.submitted(now=timezone.now())
    before, token = everything(), scenarios.token_of(booking)
    with held_booking(booking), one_wait():
        response = api.post(api.VERIFY, {"token": token})
    api.error(response, 503, "unavailable")  # with the site's CORS header
    told_to_come_back(response)
    assert everything() == before
    assert "refused unavailable 503 POST api/bookings/verify-email/ LockNotAvailable" in caplog.text
    assert "Traceback" not in caplog.text
    assert api.post(api.VERIFY, {"token": token}).status_code == 200


@pytest.mark.postgres_only
def test_when_many_wait_for_rows_one_more_is_told_at_once_and_a_free_row_is_still_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else twenty requests for one held row hold every thread and connection, and nobody else is answered."""
    held, free = (scenarios.submitted(f"{name}@example.org", now=timezone.now()) for name in ("held", "free"))
    waits = row_locks.Waits(1)
    waits.note_held()
    monkeypatch.setattr(row_locks, "_waits", waits)
    assert waits.begin()  # another thread
    with held_booking(held):
        with one_wait(least=0) as ended:
            told_to_come_back(api.post(api.VERIFY, {"token": scenarios.token_of(held)}))
        assert "NOWAIT" in ended[0]
        assert api.post(api.VERIFY, {"token": scenarios.token_of(free)}).status_code == 200
    assert waits.waiting == 1


@pytest.mark.postgres_only
def test_a_crowd_may_wait_until_one_has_waited_for_nothing(short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = row_locks.Waits(1)
    monkeypatch.setattr(row_locks, "_waits", waits)
    assert [waits.begin() for _ in range(3)] == [True, True, True]
    booking = scenarios.submitted(now=timezone.now())
    with held_booking(booking):
        told_to_come_back(api.post(api.VERIFY, {"token": scenarios.token_of(booking)}))
    assert (waits.waiting, waits.begin()) == (3, False)


@pytest.mark.postgres_only
def test_a_mailed_page_says_so_too(short: None) -> None:
    booking = scenarios.pending(now=timezone.now())
    cancellation.request_cancellation(booking.acknowledgement_id, now=timezone.now())
    token = scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)
    before = everything()
    with held_booking(booking):
        response = browser().post("/go/cancel/", {"token": token})
    assert "in a moment" in shown(response, 503)
    told_to_come_back(response)
    assert everything() == before
    assert browser().post("/go/cancel/", {"token": token}).status_code == 303


@pytest.mark.postgres_only
def test_the_desk_is_told_too_and_nothing_is_done(short: None) -> None:
    booking, desk = scenarios.pending(now=timezone.now()), owner()
    typed, before = form_of(booking, note_to_visitor="We are full."), everything()
    with held_booking(booking), one_wait():
        response = desk.post(action_url(booking, "reject"), typed)
    told_to_come_back(response)
    assert "Please try again in a moment" in response.content.decode()
    assert everything() == before
    assert desk.post(action_url(booking, "reject"), typed).status_code == 302
    assert scenarios.again(booking).state == State.REJECTED


@pytest.mark.postgres_only
def test_of_many_decided_on_one_page_only_the_held_one_stays(short: None) -> None:
    now = timezone.now()
    one, other = scenarios.pending(now=now), scenarios.pending(RAVI, now=now)
    typed = {f"seen-{row.pk}": row.ledger_sequence for row in (one, other)} | {"note_to_visitor": "We are full."}
    form = bulk.RejectMany([one, other], typed, now=now)
    assert form.is_valid()
    with held_booking(one):
        told = bulk.carry_out_all(form, actor="staff:desk", now=now)
    assert [each.is_done for each in told] == [False, True]
    assert "It is being changed at this moment." in told[0].text
    assert [scenarios.again(row).state for row in (one, other)] == [State.PENDING, State.REJECTED]


@pytest.mark.postgres_only
def test_of_the_sessions_of_an_absence_only_the_held_one_stays(short: None) -> None:
    now, who = timezone.now(), scenarios.psychologist()
    day = scenarios.slot_tomorrow(now, hour=0) + timedelta(days=1)
    rows = [
        scenarios.confirmed(email, now=now, who=who, at=day + n * HOUR)
        for n, email in ((9, scenarios.ASHA), (12, RAVI))
    ]
    absence = Absence(who.pk, day, day + timedelta(days=1))
    decisions = [AbsenceDecision(row.pk, row.ledger_sequence, None) for row in rows]
    with held_booking(rows[0]):
        done = record_absence(absence, decisions, note_to_visitor="", actor="staff:desk", now=now)
    assert [(one.is_held, one.refused) for one in done] == [(True, None), (False, None)]
    assert [scenarios.again(row).state for row in rows] == [State.CONFIRMED, State.CANCELLED]


@pytest.mark.postgres_only
def test_an_intent_does_not_wait_twice(short: None, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    turns = []

    @steps.intent
    def touch() -> None:
        turns.append(1)
        steps.lock_booking(booking.pk)

    with held_booking(booking), pytest.raises(DatabaseError) as ended:
        touch()
    assert database_timeouts.is_timeout(ended.value)
    assert len(turns) == 1


@pytest.mark.sqlite_only
def test_a_writer_that_holds_sqlites_file_is_the_same_503(short: None) -> None:
    booking, desk = scenarios.pending(now=timezone.now()), owner()
    typed, before = form_of(booking, note_to_visitor="We are full."), everything()
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with one_wait():
        answer = api.post(api.DRAFT, api.form(timezone.now()))
    api.error(answer, 503, "unavailable")
    for response in (answer, desk.post(action_url(booking, "reject"), typed)):
        told_to_come_back(response)
    assert everything() == before
    writer.execute("ROLLBACK")
    writer.close()
    assert api.post(api.DRAFT, api.form(timezone.now())).status_code == 201
    assert desk.post(action_url(booking, "reject"), typed).status_code == 302


# -- workers ----------------------------------------------------------------------------------------------------------


@pytest.mark.postgres_only
def test_a_sweep_goes_past_a_held_row_and_does_it_next_time(short: None, now: datetime, caplog: Any) -> None:
    rows = [scenarios.submitted(f"v{n}@example.org", now=now) for n in range(3)]
    with time_machine.travel(now + policy.DRAFT_LIFETIME, tick=True):
        with held_booking(rows[1]):
            timers.lapse_drafts()
        assert [scenarios.again(row).state for row in rows] == [State.CANCELLED, State.DRAFT, State.CANCELLED]
        assert "Traceback" not in caplog.text
        timers.lapse_drafts()
    assert scenarios.again(rows[1]).state == State.CANCELLED


def three_mails(now: datetime) -> list[Message]:
    for n in range(3):
        scenarios.submitted(f"v{n}@example.org", now=now)
    return list(Message.objects.filter(not_before__lte=now).order_by("pk"))


@pytest.mark.postgres_only
def test_a_drain_goes_past_a_held_row_and_sends_it_when_its_lease_is_over(short: None) -> None:
    now = timezone.now()
    first, second, third = three_mails(now)
    done = []
    with psycopg.connect(database_url()) as other:

        def perform(row: Message) -> MessageState:
            if row.pk == first.pk:  # claimed by then, so it is met where it is begun
                other.execute("SELECT 1 FROM outbox_message WHERE id = %s FOR UPDATE", [second.pk])
            done.append(row.pk)
            return MessageState.DONE

        drain.drain(Queue.MAIL, perform, helper=mail.drain)
        assert done == [first.pk, third.pk]
        other.rollback()
    with time_machine.travel(now + attempts.LEASE + timedelta(seconds=5), tick=True):
        drain.drain(Queue.MAIL, perform, helper=mail.drain)
    assert done == [first.pk, third.pk, second.pk]
    assert set(Message.objects.filter(pk__in=done).values_list("state", flat=True)) == {MessageState.DONE}


@pytest.mark.postgres_only
def test_what_was_sent_is_settled_though_a_frozen_process_holds_its_row(short: None) -> None:
    (sent, *_), done = three_mails(timezone.now()), []

    def perform(row: Message) -> MessageState:
        if row.pk == sent.pk:
            frozen.execute("SELECT 1 FROM outbox_message WHERE id = %s FOR UPDATE", [row.pk])
        done.append(row.pk)
        return MessageState.DONE

    limit = "-c idle_in_transaction_session_timeout=600"  # two waits of ours
    with psycopg.connect(database_url(), options=limit, autocommit=False) as frozen:
        drain.drain(Queue.MAIL, perform, helper=mail.drain)
        assert done.count(sent.pk) == 1
        assert Message.objects.get(pk=sent.pk).state == MessageState.DONE
        frozen.close()


@pytest.mark.postgres_only
def test_an_effect_that_waits_too_long_is_tried_again(short: None, caplog: Any) -> None:
    booking = scenarios.submitted(now=timezone.now())

    def perform(_row: Message) -> MessageState:
        visitor.verify_email(scenarios.token_of(booking), now=timezone.now())
        return MessageState.DONE

    with held_booking(booking):
        drain.drain(Queue.MAIL, perform, helper=mail.drain)
    row = Message.objects.earliest("pk")
    assert (row.state, row.attempts, row.lease_expires_at) == (MessageState.WAITING, 1, None)
    assert row.next_attempt_at > timezone.now()
    assert "waited too long for the database" in caplog.text
