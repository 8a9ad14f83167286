"""The practice in numbers: any days, by psychologist, as a page and as a file; not for receptionists."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse

from backend.accounts.roles import Role
from backend.bookings import kept_sums
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, ClosedDay
from backend.payments.models import RefundState
from backend.people.models import Psychologist
from backend.reports.numbers import NOBODY, TOGETHER, Numbers, numbers
from tests.support import factories, roles, scenarios, working_hours
from tests.support.admin_site import logged_in

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MONDAY = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)  # when Monday, the 23rd, begins in Asia/Kolkata
WEEK = timedelta(days=7)


@pytest.fixture
def meera(now: datetime) -> Psychologist:
    """Ten hours on each of seven days, of which one is closed; a session that was held and paid, one that was missed
    and owes nothing, one that was held and is owed, and three that were called off."""
    who = scenarios.psychologist("Dr. Meera")
    working_hours.weekly(who, "09:00 19:00")
    ClosedDay.objects.create(date="2026-11-24")
    at_the_practice = {"mode": "OFFLINE", "payment_mode": "OFFLINE", "meeting_link": "", "address": "2 Road"}
    for n, outcome in enumerate(("attended", "no_show", "attended")):
        start = MONDAY + timedelta(hours=10 + 2 * n)
        row = factories.make_booking(
            State.COMPLETED, now=now, email=f"v{n}@example.org", psychologist=who, outcome=outcome, slot_start=start,
            slot_end=start + timedelta(hours=1), **at_the_practice,
        )  # fmt: skip
        if n == 0:
            payment = factories.make_payment(row, now=now)
            factories.make_refund(payment, now=now, state=RefundState.DONE, settled_at=now)
    for n, reason in enumerate((Reason.BY_VISITOR, Reason.CANCELLED_LATE, Reason.BY_STAFF)):
        factories.make_booking(
            State.CANCELLED, now=now, email=f"c{n}@example.org", psychologist=who, reason=reason, closed_at=now
        )
    for n, reason in enumerate((Reason.UNANSWERED, Reason.EMAIL_NOT_VERIFIED)):
        factories.make_booking(
            State.CANCELLED, now=now, email=f"d{n}@example.org", psychologist=None, reason=reason, closed_at=now
        )
    return who


def week(now: datetime, start: datetime = MONDAY, whose: int | None = None) -> dict[str, Numbers]:
    return numbers(start, start + WEEK, whose, now=now + timedelta(days=1))


def test_a_span_is_told_by_psychologist_and_together(now: datetime, meera: Psychologist) -> None:
    found = week(now)
    assert list(found) == ["Dr. Meera", NOBODY, TOGETHER]
    hers = found["Dr. Meera"]
    assert (hers.sessions, hers.attended, hers.no_shows) == (3, 2, 1)
    assert (hers.paid_paise, hers.unpaid_paise) == (150_000, 150_000)
    assert hers.given_back_paise > 0
    assert (hers.by_visitor, hers.by_visitor_late, hers.by_practice, hers.unanswered) == (1, 1, 1, 0)
    assert (found[NOBODY].unanswered, found[NOBODY].by_visitor) == (1, 0)  # a draft that nobody proved is no booking
    assert (found[TOGETHER].sessions, found[TOGETHER].unanswered) == (3, 1)


def test_occupancy_is_the_share_of_the_hours_that_are_open(now: datetime, meera: Psychologist) -> None:
    hers = week(now)["Dr. Meera"]
    assert (hers.busy, hers.open) == (timedelta(hours=3), timedelta(hours=60))
    assert hers.occupancy == 5


def test_open_hours_that_nobody_booked_count_for_all_together(now: datetime, meera: Psychologist) -> None:
    working_hours.weekly(scenarios.psychologist("Dr. Idle", email="idle@example.org"), "09:00 19:00")
    assert week(now)["Dr. Idle"].open == timedelta(hours=60)
    assert week(now)[TOGETHER].open == timedelta(hours=120)


def test_whoever_has_no_hours_has_no_occupancy(now: datetime) -> None:
    factories.make_booking(State.CONFIRMED, now=now, psychologist=scenarios.psychologist("Dr. Free"))
    assert week(now, now)["Dr. Free"].occupancy is None


def test_what_lies_beside_the_days_or_is_somebody_elses_is_not_counted(now: datetime, meera: Psychologist) -> None:
    other = scenarios.psychologist("Dr. Other", email="other@example.org")
    assert week(now, MONDAY - WEEK)[TOGETHER].sessions == 0
    assert week(now, MONDAY + timedelta(hours=10, seconds=1))["Dr. Meera"].sessions == 2
    assert week(now, whose=other.pk)[TOGETHER].sessions == 0


def test_the_page_and_its_file_say_the_same(desk: Browser, meera: Psychologist) -> None:
    asked = {"first": "2026-11-23", "last": "2026-11-29", "psychologist": str(meera.pk)}
    page = desk.get(reverse("desk:numbers"), asked)
    assert page.context["names"] == ["Dr. Meera", TOGETHER]
    assert dict(page.context["lines"])["paid"] == "<td>₹1,500.00</td>" * 2
    answer = desk.get(reverse("desk:numbers"), {**asked, "as": "csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, hers, together = csv.reader(answer.content.decode().splitlines())
    told = dict(zip(head, hers, strict=True))
    assert (told["from"], told["until"], told["psychologist"]) == ("2026-11-23", "2026-11-29", "Dr. Meera")
    assert (told["sessions"], told["paid"], told["late by the visitor"]) == ("3", "1500.00", "1")
    assert together[3:] == hers[3:]


def test_numbers_of_a_large_practice_are_kept_for_some_minutes_and_a_file_is_counted_anew(
    desk: Browser, meera: Psychologist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_sums, "MANY", 1)
    asked = {"first": "2026-11-23", "last": "2026-11-29"}
    first = desk.get(reverse("desk:numbers"), asked)
    assert first.context["as_of"] == ""
    Booking.objects.filter(psychologist=meera).update(outcome="no_show")
    again = desk.get(reverse("desk:numbers"), asked)
    assert again.context["lines"] == first.context["lines"]
    assert f"Counted at {again.context['as_of']}" in again.content.decode()
    answer = desk.get(reverse("desk:numbers"), {**asked, "as": "csv"}).content.decode()
    head, *_, together = csv.reader(answer.splitlines())
    assert dict(zip(head, together, strict=True))["did not come"] == "3"


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-23", "2026-11-22"), ("2020-01-01", "2026-01-01"), ("x", ""), ("9999-12-31",) * 2]
)
def test_days_that_make_no_span_are_refused(desk: Browser, first: str, last: str) -> None:
    answer = desk.get(reverse("desk:numbers"), {"first": first, "last": last, "as": "csv"})
    assert answer.status_code == 400
    assert answer.context["form"].errors


@pytest.mark.sqlite_only
def test_without_days_it_is_the_month_so_far(desk: Browser) -> None:
    assert desk.get(reverse("desk:numbers")).context["form"].data == {"first": "2026-11-01", "last": "2026-11-23"}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("role", "status", "month"),
    [(Role.RECEPTIONIST, 404, False), (Role.PSYCHOLOGIST, 404, True), (Role.MANAGER, 200, True)],
)
def test_numbers_are_not_for_receptionists(role: Role, status: int, month: bool) -> None:
    browser = logged_in(roles.account(role))
    assert browser.get(reverse("desk:numbers")).status_code == status
    assert bool(browser.get("/admin/").context["numbers"]) is month


@pytest.mark.sqlite_only
def test_an_auditor_sees_sums_and_no_visitor(meera: Psychologist) -> None:
    page = logged_in(roles.account(Role.AUDITOR)).get(reverse("desk:numbers")).content.decode()
    assert "Dr. Meera" in page
    assert "Asha" not in page
