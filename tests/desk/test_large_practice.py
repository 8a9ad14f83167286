"""Today of a practice that has much to count: what is kept for some minutes, what is exact, and who is shown what."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser

from backend.accounts.roles import Role
from backend.bookings import kept_sums
from backend.bookings.machine import State
from backend.bookings.models import Booking, KeptSum
from backend.desk.dashboard import queries
from backend.desk.dashboard.page import Section
from backend.desk.reports import month_view
from tests.support import factories, roles, scenarios
from tests.support.admin_site import logged_in, owner

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db]


URL = "/admin/"


def unpaid(browser: Browser, now: datetime) -> Section:
    """That section of the page."""
    with time_machine.travel(now, tick=False):
        return next(section for section in browser.get(URL).context["sections"] if section.name == "unpaid")


def names(section: Section) -> list[str]:
    return [line.booking.label for line in section.lines]


def test_the_month_is_kept_for_some_minutes(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sums, "MANY", 1)
    who = scenarios.psychologist("Dr. Meera")
    row = factories.make_booking(State.COMPLETED, now=now, psychologist=who, verified_at=now, outcome="no_show")
    factories.make_payment(row, now=now)
    month, seen = now.date().replace(day=1), Booking.objects.all()
    first = month_view.month_view(seen, month, now=now)
    scenarios.pending("b@example.org", now=now)
    assert month_view.month_view(seen, month, now=now + timedelta(minutes=9)) == replace(first, as_of="10:00")
    assert month_view.month_view(seen, month, now=now + timedelta(minutes=10)).figures[0].value == "2"
    assert month_view.month_view(seen.filter(psychologist=who), month, now=now).as_of == ""
    with time_machine.travel(now + timedelta(minutes=11), tick=False):
        assert "counted at 10:10" in owner().get(URL).content.decode()


def test_of_hundreds_of_sessions_those_stand_there_that_go_on_or_come_next(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SESSIONS_SHOWN", 2)
    who = scenarios.psychologist()
    rows = [
        factories.make_booking(
            State.CONFIRMED, now=now, email=f"v{hours}@example.org", psychologist=who,
            slot_start=now + timedelta(hours=hours), slot_end=now + timedelta(hours=hours + 1),
        )
        for hours in (-2, -0.5, 1, 3)
    ]  # fmt: skip
    with time_machine.travel(now, tick=False):
        page = owner().get(URL)
    ((_, lines),) = page.context["sessions"]
    assert [line.booking.label for line in lines] == [str(row) for row in rows[1:3]]
    assert "all of today" in page.content.decode()


def held(days: int, now: datetime) -> Booking:
    """A session so many days ago, due at the practice, each with a psychologist of its own."""
    return factories.make_booking(
        State.COMPLETED, now=now, email=f"v{days}@example.org", payment_mode="OFFLINE", mode="OFFLINE",
        psychologist=scenarios.psychologist(f"Dr. {days}", email=f"p{days}@example.org"),
        slot_start=now - timedelta(days=days, hours=2), slot_end=now - timedelta(days=days, hours=1),
    )  # fmt: skip


def test_who_did_not_pay_is_known_for_some_minutes(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sums, "MANY", 1)
    rows, browser = [held(3, now), held(2, now)], owner()
    assert names(unpaid(browser, now)) == [str(row) for row in rows]
    assert KeptSum.objects.get(name="unpaid sessions").value == [row.pk for row in rows]
    factories.make_payment(rows[0], now=now)  # gone at once, though it is kept
    recent = held(0, now)
    shown = unpaid(browser, now + timedelta(minutes=5))
    assert names(shown) == [str(rows[1]), str(recent)]
    assert shown.title == "Held, not paid (those of more than a day ago as of 10:00)"


def test_a_psychologist_is_shown_their_own_whatever_is_kept(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sums, "MANY", 1)
    monkeypatch.setattr(queries, "UNPAID_KEPT", 1)
    rows = [held(3, now), held(2, now)]
    unpaid(owner(), now)
    assert KeptSum.objects.get(name="unpaid sessions").value == [rows[0].pk]
    theirs = logged_in(roles.account(Role.PSYCHOLOGIST, who=rows[1].psychologist))
    assert names(unpaid(theirs, now)) == [str(rows[1])]
