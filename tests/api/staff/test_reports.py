"""Sums through the API: what the desk's pages of numbers, month, accounts and sponsors tell, for whom they tell it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from backend.accounts.roles import Role
from backend.audit.models import AccessRecord, Kind
from backend.bookings.machine import State
from backend.bookings.models import Outcome
from backend.payments.models import Payment, RefundState, SettlementLine
from backend.people.models import Corporate
from backend.reports import monthly_report, numbers
from backend.reports.accounts import came_and_went, movements
from backend.reports.days import instants_of
from tests.support import api, factories, roles, scenarios, staff_api
from tests.support.staff_api import STAFF, Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
NUMBERS, MONTH = f"{STAFF}reports/numbers/", f"{STAFF}reports/month/"
ACCOUNTS, MOVEMENTS = f"{STAFF}reports/accounts/", f"{STAFF}reports/movements/"
WEEK = {"first": "2026-11-23", "last": "2026-11-29"}


def of_role(role: str, **whose: Any) -> Desk:
    user = roles.account(role, **whose)
    return Desk(user, staff_api.token(user))


@pytest.fixture
def manager() -> Desk:
    return of_role(Role.MANAGER)


def money_moves(now: datetime, number: int = 3) -> list[Payment]:
    """So many payments at one instant, the first of which a gateway paid out with another sum and half went back."""
    made = []
    for n in range(number):
        booking = factories.make_booking(State.CANCELLED, now=now, email=f"v{n}@example.org", closed_at=now)
        payment = factories.make_payment(booking, now=now)
        Payment.objects.filter(pk=payment.pk).update(
            gateway="razorpay", capture_id=f"pay_{n}", captured_paise=150_000, captured_at=now
        )
        made.append(payment)
    factories.make_refund(made[0], now=now, state=RefundState.DONE, settled_at=now, amount_paise=50_000)
    SettlementLine.objects.create(
        gateway="razorpay", kind="payment", gateway_id="pay_0", reference=made[0].reference, amount_paise=149_000,
        fee_paise=3_540, tax_paise=540, currency="INR", settlement_id="setl_1", bank_reference="UTR1", settled_at=now,
    )  # fmt: skip
    return made


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_numbers_are_those_of_the_page_in_paise_and_minutes(manager: Desk, now: datetime) -> None:
    held = scenarios.confirmed(now=now)
    factories.make_booking(State.CANCELLED, now=now, email="c@example.org", psychologist=None, closed_at=now,
                           reason="unanswered")  # fmt: skip
    told = api.done(manager.get(NUMBERS, WEEK))
    expected = numbers.lines(*instants_of(date(2026, 11, 23), date(2026, 11, 29)), None, now=now)
    assert [one["psychologist"] for one in told["psychologists"]] == [
        {"id": held.psychologist_id, "name": str(held.psychologist)},
        None,
    ]
    together = numbers.together(expected)
    assert (told["first"], told["last"]) == ("2026-11-23", "2026-11-29")
    assert told["together"]["paid_paise"] == together.paid_paise > 0
    assert told["together"]["busy_minutes"] == together.busy / timedelta(minutes=1) > 0
    assert (told["together"]["sessions"], told["together"]["not_answered_in_time"]) == (1, 1)


def test_numbers_of_one_psychologist_and_of_the_month_so_far(manager: Desk, now: datetime) -> None:
    who = scenarios.confirmed(now=now).psychologist
    assert who is not None
    told = api.done(manager.get(NUMBERS, {"psychologist_id": str(who.pk)}))
    assert (told["first"], told["last"]) == ("2026-11-01", "2026-11-23")
    assert [one["psychologist"]["id"] for one in told["psychologists"]] == [who.pk]
    api.error(manager.get(NUMBERS, {"psychologist_id": "999"}), 400, "invalid")


@pytest.mark.parametrize("path", [NUMBERS, ACCOUNTS, MOVEMENTS])
@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"first": "2026-11-23"}, "last"),
        ({"last": "2026-11-23"}, "first"),
        ({"first": "2026-11-23", "last": "2026-11-22"}, "last"),
        ({"first": "2020-01-01", "last": "2026-01-01"}, "last"),
        ({"first": "9999-12-31", "last": "9999-12-31"}, "first"),
        ({"first": "x", "last": "2026-11-22"}, "first"),
    ],
)
def test_days_that_make_no_span_are_refused(manager: Desk, path: str, asked: dict[str, str], named: str) -> None:
    assert list(api.error(manager.get(path, asked), 400, "invalid")["errors"]) == [named]


# -- the month ---------------------------------------------------------------------------------------------------------


def test_a_month_is_that_of_the_front_page(manager: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    factories.make_booking(State.COMPLETED, now=now, email="v@example.org", outcome=Outcome.NO_SHOW,
                           psychologist=booking.psychologist, corporate=Corporate.objects.create(name="Acme"),
                           slot_start=now - timedelta(hours=3), slot_end=now - timedelta(hours=2))  # fmt: skip
    told = api.done(manager.get(MONTH, {"month": "2026-11"}))
    found = monthly_report.read_monthly_report(type(booking).objects.all(), date(2026, 11, 1), now=now)
    assert (told["month"], told["requests"], told["unanswered"]) == ("2026-11", found.requests.total(), 0)
    assert told["paid_paise"] == sum(day["paid_paise"] for day in told["days"]) == found.paid_paise.total() > 0
    assert len(told["days"]) == 30
    assert sum(one["requests"] for one in told["answered"]) == sum(found.answered_within)
    assert told["outcomes"] == [{"outcome": "no_show", "sessions": 1}]
    assert told["psychologists"] == [{"name": str(booking.psychologist), "sessions": 2, "no_shows": 1}]
    assert told["sponsors"] == [{"name": "Acme", "sessions": 1}]


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "1999-12", "20261", "x", "2026-11-01"])
def test_what_is_no_month_is_refused(manager: Desk, month: str) -> None:
    api.error(manager.get(MONTH, {"month": month}), 400, "invalid")


def test_a_psychologist_has_the_month_of_their_own_sessions(now: datetime) -> None:
    made = roles.world(now)
    mine = of_role(Role.PSYCHOLOGIST, who=made.mine)
    assert [one["name"] for one in api.done(mine.get(MONTH))["psychologists"]] == ["Dr. Mine"]
    assert len(api.done(of_role(Role.MANAGER).get(MONTH))["psychologists"]) == 2


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_the_accounts_are_those_of_the_page(manager: Desk, now: datetime) -> None:
    payments = money_moves(now)
    told = api.done(manager.get(ACCOUNTS, WEEK))
    assert (told["came_paise"], told["went_back_paise"]) == (450_000, 50_000)
    assert (told["ours_paise"], told["paid_out_paise"]) == (150_000, 149_000)
    assert told["reached_the_bank_paise"] == 149_000 - 3_540
    [difference] = told["differences"]
    assert told["differences_in_all"] == 1
    assert (difference["result"], difference["reference"]) == ("another_sum", payments[0].reference)
    assert (difference["ours_paise"], difference["gateways_paise"]) == (150_000, 149_000)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_every_movement_is_read_once_however_long_a_page_is(manager: Desk, now: datetime, limit: int) -> None:
    money_moves(now)
    read: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = api.done(manager.get(MOVEMENTS, {**WEEK, "limit": str(limit), "after": after}))
        assert len(page["movements"]) <= limit
        read += page["movements"]
        after = page["next"]
    expected = movements(*instants_of(date(2026, 11, 23), date(2026, 11, 29)))
    assert [one["reference"] for one in read] == [one.reference for one in expected]
    assert sum(one["paise"] for one in read) == 450_000 - 50_000
    assert came_and_went(expected) == (450_000, 50_000)
    assert (read[0]["settlement_id"], read[1]["settlement_id"]) == ("setl_1", None)


def test_an_after_that_is_no_movement_is_refused(manager: Desk) -> None:
    assert list(api.error(manager.get(MOVEMENTS, {"after": "PAY-X"}), 400, "invalid")["errors"]) == ["after"]


def test_movements_that_name_bookings_are_recorded_as_taken_away(manager: Desk, now: datetime) -> None:
    money_moves(now)
    sums = api.done(manager.get(MOVEMENTS, {**WEEK, "fields": "at,paise"}))["movements"]
    assert set(sums[0]) == {"at", "paise"}
    assert not AccessRecord.objects.filter(kind=Kind.EXPORTED).exists()
    api.done(manager.get(MOVEMENTS, {**WEEK, "fields": "acknowledgement_id"}))
    assert AccessRecord.objects.filter(kind=Kind.EXPORTED).count() == 1


# -- sponsors ----------------------------------------------------------------------------------------------------------


def test_a_sponsor_is_told_no_sum_of_a_few(manager: Desk, now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme")
    for n in range(8):
        outcome = Outcome.NO_SHOW if n > 5 else Outcome.ATTENDED
        email = f"p{n}@acme.example"
        factories.make_booking(
            State.COMPLETED, now=now, email=email, client=factories.make_client(email, now=now), outcome=outcome,
            corporate=acme, sponsored_month=date(2026, 5, 1),
        )  # fmt: skip
    told = api.done(manager.get(f"{STAFF}corporates/{acme.pk}/report/"))
    few = {"sessions": None, "untold": "few_people"}
    assert (told["corporate"], told["people_least"]) == ({"id": acme.pk, "name": "Acme"}, 5)
    assert told["months"] == [
        {
            "month": "2026-05",
            "reserved": {"sessions": 8, "untold": None},
            "held": {"sessions": None, "untold": "rest_would_tell"},
            "not_attended": few,
            "cancelled_late": few,
            "returned": few,
        }
    ]


# -- for whom ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "opens"),
    [
        (Role.RECEPTIONIST, set()),
        (Role.PSYCHOLOGIST, {MONTH}),
        (Role.DUTY_PSYCHOLOGIST, {MONTH}),
        (Role.MANAGER, {NUMBERS, MONTH, ACCOUNTS, MOVEMENTS, "report"}),
        (Role.AUDITOR, {NUMBERS, ACCOUNTS, MOVEMENTS, "report"}),
        (Role.OPERATOR, set()),
    ],
)
def test_who_may_see_the_page_may_ask(role: Role, opens: set[str], now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme")
    staff = of_role(role, **({"who": scenarios.psychologist()} if "PSYCH" in role.name else {}))
    paths = {path: path for path in (NUMBERS, MONTH, ACCOUNTS, MOVEMENTS)}
    paths["report"] = f"{STAFF}corporates/{acme.pk}/report/"
    assert {name for name, path in paths.items() if staff.get(path).status_code == 200} == opens


@pytest.mark.parametrize(
    ("path", "scope"),
    [(NUMBERS, "reports"), (MONTH, "reports"), (ACCOUNTS, "payments"), (MOVEMENTS, "payments")],
)
def test_a_token_of_sums_reads_no_movement(path: str, scope: str) -> None:
    user = roles.account(Role.MANAGER)
    assert Desk(user, staff_api.token(user, f"{scope}:read")).get(path).status_code == 200
    other = "payments" if scope == "reports" else "reports"
    refused = api.error(Desk(user, staff_api.token(user, f"{other}:read")).get(path), 403, "scope_missing")
    assert f"{scope}:read" in refused["detail"]
