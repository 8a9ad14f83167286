"""Idempotency-Key: what carries one is done once, and a repetition has the same bytes for a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from backend.api import repeats
from backend.bookings import kept_answers, policy
from backend.bookings.lifecycle import visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking, KeptAnswer, LedgerEntry
from backend.bookings.retention import RULES, Kind
from backend.core.errors import Code
from backend.outbox.models import Message
from backend.payments.gateway import OrderReport
from backend.payments.models import Payment
from backend.payments.sandbox.adapter import SandboxGateway
from tests.support import api, scenarios
from tests.support.staff_api import STAFF, Desk, account, desk, token

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


@pytest.fixture
def key() -> str:
    return str(uuid4())


def keyed(path: str, body: Any, key: str, **headers: str) -> HttpResponse:
    return api.post(path, body, idempotency_key=key, **headers)


def test_a_repetition_is_answered_with_the_same_bytes_and_done_once(key: str, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    body = {"acknowledgement_id": booking.acknowledgement_id}
    first, second = keyed(api.INITIATE, body, key), keyed(api.INITIATE, body, f'"{key}"')
    api.done(second)
    assert api.shown(first) == api.shown(second)
    assert LedgerEntry.objects.filter(intent="start_payment").count() == 1


def test_a_draft_that_comes_again_after_its_window_is_still_one(
    key: str, now: datetime, clock: time_machine.Traveller
) -> None:
    api.done(keyed(api.DRAFT, api.form(now), key), 201)
    clock.move_to(now + timedelta(hours=23))
    api.done(keyed(api.DRAFT, api.form(now), key), 201)
    assert Booking.objects.count() == 1
    clock.move_to(now + RULES[Kind.REPEATS].kept)
    api.done(keyed(api.DRAFT, api.form(now, preferred_date="2026-12-01"), key), 201)
    assert Booking.objects.count() == 2


def test_another_body_under_the_same_key_is_refused_and_another_address_is_another_key(key: str, now: datetime) -> None:
    api.done(keyed(api.DRAFT, api.form(now), key), 201)
    api.error(keyed(api.DRAFT, api.form(now, city="Nashik"), key), 422, Code.KEY_REUSED)
    assert Booking.objects.get().city == "Pune"
    api.done(keyed(api.STATUS, {"email": scenarios.ASHA}, key))


@pytest.mark.parametrize("key", ["", "short", "x" * 256, "k\u00e9" * 10, '"quoted in the middle" and on'])
def test_a_key_that_could_be_guessed_or_is_none_is_refused(key: str, now: datetime) -> None:
    response = api.post(api.DRAFT, api.form(now), **({"idempotency_key": key or " "}))
    api.error(response, 400, Code.KEY_MALFORMED)
    assert not Booking.objects.exists()


def test_what_is_refused_frees_its_key_unless_the_refusal_did_something(key: str, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    body = {"acknowledgement_id": booking.acknowledgement_id}
    api.error(keyed(api.INITIATE, body, key), 409, "state_refuses")
    assert not KeptAnswer.objects.exists()
    first, second = (keyed(api.ASK_TO_CANCEL, body, key) for _ in range(2))
    api.error(second, 409, "confirm_by_email")
    assert api.shown(first) == api.shown(second)
    assert Message.objects.filter(kind="cancellation_requested").count() == 1


def test_while_it_is_worked_on_others_are_asked_to_come_again(key: str, now: datetime) -> None:
    answers: list[HttpResponse] = []
    with meanwhile(lambda: answers.append(keyed(api.DRAFT, api.form(now), key))):
        api.done(keyed(api.DRAFT, api.form(now), key), 201)
    api.error(answers[0], 409, Code.KEY_IN_USE)
    assert answers[0]["Retry-After"] == "1"


def test_who_died_loses_the_key_with_the_lease(key: str, now: datetime, clock: time_machine.Traveller) -> None:
    ends = patch.object(visitor, "submit_draft", side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), ends, patch.object(kept_answers, "release"):  # nothing is tidied up
        keyed(api.DRAFT, api.form(now), key)
    api.error(keyed(api.DRAFT, api.form(now), key), 409, Code.KEY_IN_USE)
    clock.move_to(now + policy.KEY_LEASE)
    api.done(keyed(api.DRAFT, api.form(now), key), 201)
    assert Booking.objects.count() == 1


def test_who_was_only_slow_does_nothing_once_another_has_the_key(
    key: str, now: datetime, clock: time_machine.Traveller
) -> None:
    def after_the_lease() -> None:
        clock.move_to(now + policy.KEY_LEASE)
        KeptAnswer.objects.update(fence=2)

    with meanwhile(after_the_lease):
        api.error(keyed(api.DRAFT, api.form(now), key), 409, Code.KEY_IN_USE)
    assert not Booking.objects.exists()


def test_a_crash_frees_the_key_and_leaves_nothing(key: str, now: datetime) -> None:
    with patch.object(repeats, "_settle", side_effect=DatabaseError):
        assert keyed(api.DRAFT, api.form(now), key).status_code == 500
    assert not Booking.objects.exists()
    assert not KeptAnswer.objects.exists()
    api.done(keyed(api.DRAFT, api.form(now), key), 201)


def test_what_asks_a_gateway_is_kept_after_it(key: str, now: datetime, settings: Any) -> None:
    settings.ALLOW_SANDBOX_PAYMENTS, settings.SANDBOX_URL = True, "http://127.0.0.1:9"
    booking, payment = scenarios.paying(now=now)
    body = {"payment_reference": payment.reference}
    open_transactions = []

    def asked(*_names: str) -> OrderReport:
        open_transactions.append(len(connection.savepoint_ids))  # beside the test's own
        return scenarios.captured(payment)

    with patch.object(SandboxGateway, "complete_order", side_effect=asked):
        first, second = (keyed(api.COMPLETE, body, key) for _ in range(2))
    api.done(second)
    assert (first.content, open_transactions) == (second.content, [0])
    assert scenarios.again(booking).state == State.CONFIRMED


def test_a_key_is_its_callers_own(key: str, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    path = f"/api/staff/bookings/{booking.acknowledgement_id}/reject/"
    first, other = desk(), desk(username="other")
    answers = [one.post(path, {"note_to_visitor": "Sorry."}, idempotency_key=key) for one in (first, first, other)]
    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert answers[0].content == answers[1].content
    assert booking.acknowledgement_id in KeptAnswer.objects.get().about


def test_a_token_that_has_ended_is_answered_nothing(key: str, now: datetime) -> None:
    booking, staff = scenarios.pending(now=now), desk()
    path = f"/api/staff/bookings/{booking.acknowledgement_id}/reject/"
    assert staff.post(path, {}, idempotency_key=key).status_code == 200
    staff.post("/api/staff/logout/")
    assert staff.post(path, {}, idempotency_key=key).status_code == 401


def test_what_is_kept_is_sealed_for_its_row_and_goes_with_an_erasure(key: str, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    api.done(keyed(api.VERIFY, {"token": scenarios.token_of(booking)}, key))
    row = KeptAnswer.objects.get()
    assert row.answer.startswith('{"status": 200')
    stored = KeptAnswer._meta.get_field("answer").stored_of(row)  # type: ignore[attr-defined]
    assert booking.acknowledgement_id not in stored
    kept_answers.forget([booking.acknowledgement_id])
    assert not KeptAnswer.objects.exists()


def test_without_a_key_nothing_is_asked_and_nothing_kept(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    with CaptureQueriesContext(connection) as asked:
        api.done(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}))
    assert not [query for query in asked if KeptAnswer._meta.db_table in query["sql"]]
    assert Payment.objects.count() == 1


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """While the first draft is recorded, before its request is over."""
    submit = visitor.submit_draft

    def slowly(*args: Any, **kwargs: Any) -> None:
        patched.stop()
        submit(*args, **kwargs)
        act()

    patched = patch.object(visitor, "submit_draft", slowly)
    patched.start()
    yield


def test_an_answer_about_a_client_goes_with_the_client(key: str) -> None:
    user = account("owner", is_superuser=True)
    owner, path = Desk(user, token(user)), f"{STAFF}clients/"
    sent = {"email": "kiran@example.org", "full_name": "Kiran Shah", "phone_number": "9876501234"}
    made = owner.post(path, sent, idempotency_key=key)
    assert owner.post(path, sent, idempotency_key=key).content == made.content
    api.done(owner.post(path, {**sent, "email": "other@example.org"}, idempotency_key=f"{key}-other"), 201)
    api.done(owner.send("DELETE", f"{path}{api.done(made, 201)['id']}/"))
    assert KeptAnswer.objects.count() == 1  # the other's
    assert api.done(owner.post(path, sent, idempotency_key=key), 201)["id"] != made.json()["id"]
