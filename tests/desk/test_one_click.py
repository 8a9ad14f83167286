"""Arrived, no show, paid: one click on a row of Today, on the calendar's session, and in its panel."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.machine import State
from backend.bookings.models import Booking, Outcome
from backend.desk.booking.one_click import OneClick
from backend.payments.models import Payment
from tests.support import factories, scenarios
from tests.support.admin_site import clerk

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock")]
AT_THE_PRACTICE = {"mode": "OFFLINE", "payment_mode": "OFFLINE", "meeting_link": "", "address": "2 Road, Pune"}


def session(now: datetime, *, begins: timedelta) -> Booking:
    """In person, due at the practice, an hour long."""
    start = now + begins
    return factories.make_booking(
        State.CONFIRMED, now=now, psychologist=scenarios.psychologist(), slot_start=start,
        slot_end=start + timedelta(hours=1), due_at=start + timedelta(hours=2), **AT_THE_PRACTICE,
    )  # fmt: skip


def clicks(browser: Browser, now: datetime) -> dict[str, OneClick]:
    """The buttons of the day's only session, by their words."""
    with time_machine.travel(now, tick=False):
        ((_, (line,)),) = browser.get("/admin/").context["sessions"]
    return {click.label: click for click in line.clicks}


def press(browser: Browser, click: OneClick, now: datetime) -> str:
    """What the page says that it leads to."""
    typed = {"seen": str(click.seen), "outcome": click.outcome, "back": "/admin/"}
    with time_machine.travel(now, tick=False):
        answer = browser.post(click.url, typed, follow=True)
    assert answer.redirect_chain == [("/admin/", 302)]
    return str(answer.content.decode())


def test_who_came_and_what_was_paid_takes_a_click_each(desk: Browser, now: datetime) -> None:
    booking = session(now, begins=timedelta(minutes=-5))
    assert list(clicks(desk, now)) == ["Arrived", "No show", "Paid ₹1,500.00"]
    assert "Recorded: Attended." in press(desk, clicks(desk, now)["Arrived"], now)
    assert scenarios.again(booking).outcome == Outcome.ATTENDED
    assert "Recorded: ₹1,500.00 paid." in press(desk, clicks(desk, now)["Paid ₹1,500.00"], now)
    assert Payment.objects.get().captured_paise == 150_000
    assert clicks(desk, now) == {}


def test_before_the_session_begins_money_is_taken_and_who_is_early_has_arrived(desk: Browser, now: datetime) -> None:
    session(now, begins=timedelta(minutes=31))
    assert list(clicks(desk, now)) == ["Paid ₹1,500.00"]
    early = now + timedelta(minutes=1)
    assert list(clicks(desk, early)) == ["Arrived", "Paid ₹1,500.00"]


def test_who_may_only_look_has_nothing_to_click(now: datetime) -> None:
    session(now, begins=timedelta(minutes=-5))
    assert clicks(clerk("reader", "view_booking"), now) == {}


def test_a_click_on_what_has_changed_meanwhile_shows_the_page_instead(desk: Browser, now: datetime) -> None:
    booking = session(now, begins=timedelta(minutes=-5))
    click = clicks(desk, now)["No show"]
    press(desk, clicks(desk, now)["Arrived"], now)
    with time_machine.travel(now, tick=False):
        answer = desk.post(click.url, {"seen": str(click.seen), "outcome": click.outcome})
    assert answer.status_code == 409
    assert scenarios.again(booking).outcome == Outcome.ATTENDED


@pytest.mark.parametrize(("minutes", "outcomes"), [(-5, 2), (5, 1), (31, 0)])
def test_the_calendar_knows_the_same_of_each_session(desk: Browser, now: datetime, minutes: int, outcomes: int) -> None:
    booking = session(now, begins=timedelta(minutes=minutes))
    day = {"start": "2026-11-23T00:00:00", "end": "2026-11-24T00:00:00"}
    with time_machine.travel(now, tick=False):
        (row,) = json.loads(desk.get(reverse("desk:sessions"), day).content)
        panel = desk.get(reverse("admin:bookings_booking_panel", args=[booking.pk])).context["clicks"]
    assert row[-2:] == [outcomes, 150_000]
    assert [click.label for click in panel[:-1]] == ["Arrived", "No show"][:outcomes]


def test_the_day_on_paper_has_telephone_and_what_is_to_be_paid(desk: Browser, now: datetime) -> None:
    booking = session(now, begins=timedelta(hours=2))
    with time_machine.travel(now, tick=False):
        ((_, ((listed, phone, _place, to_pay),)),) = desk.get(reverse("desk:day")).context["sheets"]
    assert (listed, phone, to_pay) == (booking, "9876543210", "₹1,500.00")
