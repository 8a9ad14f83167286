"""How many queries each answer costs; a number that grows is a decision, not an accident.

A transaction counts as two, its SAVEPOINT and its RELEASE, because each test runs inside one. On PostgreSQL many
go together, for the way there and back costs as much as a statement: so many trips.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.bookings import policy
from backend.bookings.lifecycle import payments
from backend.bookings.lifecycle.approval import approve
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import ACTIVE, State
from tests.support import api, factories, scenarios
from tests.support.asked import asks
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

LATER = [state for state in State if state != State.DRAFT]


CLIENT = 1  # what counting a client's requests for mails costs
MAIL_LIMIT = 1  # its lock, an advisory one of PostgreSQL; SQLite has one writer, and is asked for nothing
NEXT_ID = 1  # of a draft, before it is stored, so that it goes with its ledger, mails and links; SQLite gives none


@pytest.mark.parametrize("path", [*api.PINGS, api.SUPPORT, "/api/nothing/", "/api"])
def test_pings_and_support_ask_the_database_nothing(path: str) -> None:
    with asks(0):
        api.get(path)


def test_what_is_malformed_asks_the_database_nothing() -> None:
    with asks(0):
        for path in api.POSTS:
            api.post(path, {})
            api.post(path, b"[")
            api.get(path)


@pytest.mark.parametrize("state", [None, *(state for state in State if state not in ACTIVE)])
def test_a_draft_costs_the_same_for_every_address_without_an_active_booking(state: State | None, now: datetime) -> None:
    if state is not None:
        factories.make_booking(state, now=now)
    with asks(10 + CLIENT + MAIL_LIMIT + NEXT_ID, trips=5):
        api.done(api.post(api.DRAFT, api.form(now)), 201)


@pytest.mark.parametrize("state", ACTIVE)
def test_a_draft_for_an_address_with_an_active_booking_costs_as_much(state: State, now: datetime) -> None:
    factories.make_booking(state, now=now)
    with asks(14 + CLIENT + MAIL_LIMIT + NEXT_ID, trips=8):  # the work for a new draft, undone, and one notice
        api.done(api.post(api.DRAFT, api.form(now)), 201)


def test_the_same_click_again_costs_less(now: datetime) -> None:
    api.post(api.DRAFT, api.form(now))
    with asks(6 + CLIENT + MAIL_LIMIT + NEXT_ID, trips=4):
        api.done(api.post(api.DRAFT, api.form(now)), 201)


def test_the_booking_link_costs_three_queries_once_it_is_proved(now: datetime) -> None:
    token = {"token": scenarios.token_of(scenarios.submitted(now=now))}
    with asks(18, trips=11):
        api.done(api.get(api.VERIFY, token))
    for send in (api.get, api.post):
        with asks(3):
            api.done(send(api.VERIFY, token))


def test_a_scanner_costs_one_query(now: datetime) -> None:
    token = {"token": scenarios.token_of(scenarios.submitted(now=now))}
    with asks(1):
        api.get(api.VERIFY, token, origin="")
    with asks(1):
        api.get(api.VERIFY, {"token": "nobody"})


@pytest.mark.parametrize("state", LATER)
def test_a_look_at_the_status_costs_two_trips_and_writes_nothing(state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    with asks(3, trips=2) as asked:
        api.done(api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}))
    assert all(query["sql"].startswith("SELECT") for query in asked)


def test_a_paid_booking_costs_one_more_for_its_refunds(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    with asks(4, trips=3):
        api.done(api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}))


def test_a_miss_costs_three_queries_more_and_a_refused_guesser_one(now: datetime) -> None:
    ask = {"acknowledgement_id": "MS-000000"}
    api.get(api.STATUS, ask)
    for _ in range(29):
        with asks(1 + 3):
            api.error(api.get(api.STATUS, ask), 404, "booking_unknown")
    with asks(2):
        api.error(api.get(api.STATUS, ask), 429, "too_many_misses")


@pytest.mark.postgres_only
@pytest.mark.parametrize("is_attack", [False, True])
def test_for_a_guesser_the_database_looks_for_no_booking(
    is_attack: bool, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = scenarios.pending(now=now)
    monkeypatch.setattr(policy, "LOOKUP_MISSES_ALL" if is_attack else "LOOKUP_MISSES_PER_HOUR", 1)

    def how_it_is_looked_for(status: int) -> str:
        with CaptureQueriesContext(connection) as asked:
            answer = api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id})
        assert answer.status_code == status
        looked_up = asked[0]["sql"]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {looked_up}")
            return next(line for (line,) in cursor.fetchall() if "on bookings_booking" in line)

    assert "actual rows=1" in how_it_is_looked_for(200)
    api.error(api.get(api.STATUS, {"acknowledgement_id": "MS-000000"}), 404, "booking_unknown")
    assert "(never executed)" in how_it_is_looked_for(429)


def test_an_unproved_id_costs_what_an_unknown_one_does(now: datetime) -> None:
    draft = scenarios.submitted(now=now)
    api.get(api.STATUS, {"acknowledgement_id": "MS-000000"})
    costs = []
    for acknowledgement_id in ("MS-000000", draft.acknowledgement_id):
        with CaptureQueriesContext(connection) as asked:
            api.error(api.get(api.STATUS, {"acknowledgement_id": acknowledgement_id}), 404, "booking_unknown")
        costs.append(len(asked))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("state", [None, *State])
def test_the_link_again_costs_the_same_for_every_address(state: State | None, now: datetime) -> None:
    if state is not None:
        factories.make_booking(state, now=now)
    in_vain = 2 if state is None else 0  # a savepoint, and back: there is nothing to link to, and the work is undone
    with asks(7 + CLIENT + MAIL_LIMIT + in_vain, trips=7 + CLIENT + in_vain):
        api.done(api.post(api.STATUS, {"email": ASHA}))


def test_beginning_to_pay(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    with asks(10, trips=8):
        api.done(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}))
    with asks(6):
        api.done(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}))


def test_an_approval(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    decided = Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now))
    with asks(13, trips=9):
        approve(booking.pk, decided, actor="staff:desk", now=now)


def test_completing_a_payment(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    _, payment = scenarios.paying(now=now)
    monkeypatch.setattr(payments, "gateway_named", lambda _name: None)
    monkeypatch.setattr(payments, "_completed", lambda *_: scenarios.captured(payment))  # what the gateway answers
    scenarios.confirmed(RAVI, now=now, at=scenarios.slot_tomorrow(now, 15))  # the year's series of receipts has begun
    with asks(20, trips=14):
        api.done(api.post(api.COMPLETE, {"payment_reference": payment.reference}))


def test_a_capture_that_confirms_costs_as_much_whoever_tells_it(now: datetime) -> None:
    _, payment = scenarios.paying(now=now)
    scenarios.confirmed(RAVI, now=now, at=scenarios.slot_tomorrow(now, 15))  # the year's series of receipts has begun
    with asks(18, trips=12):
        payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
