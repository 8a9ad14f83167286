"""Planned reminders to visitors leave when people are awake; answers, and reminders of a session, at any time."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from backend.bookings import policy
from backend.bookings.lifecycle import front_desk
from backend.bookings.machine import State
from backend.bookings.notices import Notice
from backend.core import environment, formatting
from backend.core.environment import Misconfigured
from backend.core.formatting import practice_zone
from backend.outbox.models import Message
from tests.support import scenarios

pytestmark = pytest.mark.sqlite_only


def at(hour: int, minute: int = 0, *, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=practice_zone())


@pytest.mark.parametrize(
    ("due", "deadline", "expected"),
    [
        ((20, 59, 23), (12, 0, 25), (20, 59, 23)),
        ((21, 0, 23), (12, 0, 25), (7, 0, 24)),
        ((5, 47, 24), (12, 0, 25), (7, 0, 24)),
        ((7, 0, 24), (12, 0, 25), (7, 0, 24)),
        ((23, 0, 23), (15, 0, 24), (7, 0, 24)),  # just half of the time left passes
        ((23, 0, 23), (14, 59, 24), (20, 59, 23)),  # more than half of it would
    ],
)
def test_a_reminder_in_the_night_waits_for_the_morning_or_comes_before(
    due: tuple[int, int, int], deadline: tuple[int, int, int], expected: tuple[int, int, int]
) -> None:
    when, until, then = (at(hour, minute, day=day) for hour, minute, day in (due, deadline, expected))
    assert policy.outside_quiet_hours(when, deadline=until, now=at(12)) == then


def test_what_is_planned_in_the_night_for_the_same_night_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    due, deadline = at(1, day=24), at(3, day=24)
    assert policy.outside_quiet_hours(due, deadline=deadline, now=at(22)) == due
    assert policy.outside_quiet_hours(due, deadline=deadline, now=at(20, 59)) == at(20, 59)  # the last minute before
    monkeypatch.setattr(policy, "QUIET_HOURS", (time(13), time(15)))  # a siesta
    assert policy.outside_quiet_hours(at(14), deadline=at(20), now=at(12)) == at(15)
    monkeypatch.setattr(policy, "QUIET_HOURS", None)
    assert policy.outside_quiet_hours(at(23), deadline=at(8, day=24), now=at(12)) == at(23)


@pytest.mark.parametrize("given", ["21:00", "24:00-07:00", "21:00-21:00", "9-5"])
def test_quiet_hours_that_are_none_stop_the_start(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "VARIABLES", dict(environment.VARIABLES))
    monkeypatch.setenv("QUIET_HOURS", given)
    with pytest.raises(Misconfigured, match="QUIET_HOURS"):
        environment.hours_of_day("QUIET_HOURS", "", default="21:00-07:00")
    monkeypatch.setenv("QUIET_HOURS", "none")
    assert environment.hours_of_day("QUIET_HOURS", "", default="21:00-07:00") is None


@pytest.mark.django_db
@pytest.mark.usefixtures("sandbox_payments")
def test_reminders_to_visitors_alone_keep_the_night(now: datetime) -> None:
    evening = now + timedelta(hours=13, minutes=30)  # 23:30
    booking = scenarios.pending(now=evening)
    front_desk.extend_deadline(booking.pk, State.PENDING, timedelta(hours=15), actor="staff:desk", now=evening)
    planned = dict(Message.objects.filter(booking_id=booking.pk).values_list("kind", "not_before"))
    hours = {kind: when.astimezone(practice_zone()).time() for kind, when in planned.items()}
    assert (hours[Notice.DRAFT_STILL_UNVERIFIED], hours[Notice.ANSWER_LATE]) == (time(7), time(20, 59))
    assert hours[Notice.BOOKING_RECEIVED] == hours[Notice.DRAFT_SUBMITTED] == time(23, 30)  # answers to an act
    assert hours[Notice.STAFF_BOOKING_WAITING] == time(14, 30)
    session = scenarios.confirmed("b@example.org", now=now, at=now + timedelta(hours=42))  # 04:00
    soon = Message.objects.get(booking_id=session.pk, kind=Notice.SESSION_APPROACHING)
    assert soon.not_before == now + timedelta(hours=18)


@pytest.mark.parametrize(
    ("paise", "text"),
    [(0, "0.00"), (99_999, "999.99"), (150_000, "1,500.00"), (15_000_000, "1,50,000.00"), (10**10, "10,00,00,000.00")],
)
def test_sums_are_grouped_as_people_here_read_them(paise: int, text: str) -> None:
    assert formatting.grouped_rupees(paise) == text
