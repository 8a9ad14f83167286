"""Closing days: a range at once, and nobody who is booked on them is forgotten."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay
from backend.scheduling.rebooking_options import on_closed_days
from tests.support import scenarios, working_hours
from tests.support.admin_site import clerk
from tests.support.working_hours import at

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.django_db,
    pytest.mark.usefixtures("clock", "sandbox_payments"),
]
ADD = "admin:bookings_closedday_add"
SESSIONS = "admin:bookings_closedday_sessions"
WEDNESDAY = date(2026, 11, 25)


def test_a_range_of_days_is_closed_at_once(desk: Browser) -> None:
    ClosedDay.objects.create(date=WEDNESDAY + timedelta(days=1))
    typed = {"date": "2026-11-25", "until": "2026-11-27", "note": "Diwali"}
    assert desk.post(reverse(ADD), typed)["Location"] == reverse("admin:bookings_closedday_changelist")
    assert sorted(row.date for row in ClosedDay.objects.all()) == [WEDNESDAY + timedelta(days=n) for n in range(3)]


@pytest.mark.parametrize("until", ["2026-11-24", "2027-11-25"])
def test_a_range_that_ends_before_it_begins_or_never_is_refused(until: str, desk: Browser) -> None:
    answer = desk.post(reverse(ADD), {"date": "2026-11-25", "until": until})
    assert "until" in answer.context["adminform"].form.errors
    assert not ClosedDay.objects.exists()


@pytest.mark.parametrize(
    "typed", [{"date": "2026-11-25"}, {"weekday": "2"}, {"date": "2026-11-24", "until": "2026-11-26"}]
)
def test_closing_a_day_on_which_somebody_is_booked_asks_what_becomes_of_them(
    typed: dict[str, str], desk: Browser, now: datetime
) -> None:
    who = working_hours.psychologist(hours="10:00 13:30")
    first, second = (
        scenarios.confirmed(f"v{n}@example.org", now=now, who=who, at=at(hour))
        for n, hour in enumerate(("10:00", "11:15"))
    )
    elsewhere = scenarios.confirmed("v9@example.org", now=now, who=who, at=at("10:00") + timedelta(days=5))
    page = desk.post(reverse(ADD), typed, follow=True)
    assert page.redirect_chain == [(reverse(SESSIONS), 302)]
    assert reverse(SESSIONS) in desk.get(reverse("admin:bookings_closedday_changelist")).content.decode()
    assert "Closed, and 2 booked on closed days" in page.content.decode()
    assert [row.booking for row in page.context["rows"]] == [first, second]
    assert page.context["rows"][0].field.initial == "choose"
    _, (_, others), *_ = page.context["rows"][1].field.field.choices
    sent = {"note_to_visitor": "We are closed."}
    for booking, fate in ((first, "cancel"), (second, others[0][0])):
        sent |= {f"fate-{booking.pk}": fate, f"seen-{booking.pk}": str(booking.ledger_sequence)}
    done = desk.post(reverse(SESSIONS), sent)
    assert done["Location"] == reverse("admin:bookings_closedday_changelist")
    assert scenarios.again(first).state == State.CANCELLED
    assert scenarios.again(second).slot_start.date() != WEDNESDAY
    assert scenarios.again(elsewhere) == elsewhere


def test_who_decides_about_no_booking_has_no_such_page() -> None:
    assert clerk("reader", "view_closedday").get(reverse(SESSIONS)).status_code == 404


def test_a_session_over_midnight_into_a_closed_day_is_found(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=at("10:00"))
    night = at("23:30")
    Booking.objects.filter(pk=booking.pk).update(slot_start=night, slot_end=night + timedelta(hours=1))
    assert on_closed_days(now=now) == []
    ClosedDay.objects.create(date=WEDNESDAY + timedelta(days=1))
    assert on_closed_days(now=now) == [booking]
    assert on_closed_days(now=night + timedelta(minutes=50)) == [booking]  # it goes on
    assert on_closed_days(now=now, until=night) == []
    assert on_closed_days(now=night + timedelta(hours=1)) == []


def test_closed_days_that_follow_one_another_are_one_span() -> None:
    ClosedDay.objects.create(weekday=6)
    ClosedDay.objects.create(date=date(2026, 11, 28))  # a Saturday
    (both, next_week) = ClosedDay.spans(date(2026, 11, 25), date(2026, 12, 6))
    assert [end - start for start, end in (both, next_week)] == [timedelta(days=2), timedelta(days=1)]
    assert both[0].date() == date(2026, 11, 28)
