"""Time off on a psychologist's page: typed as days or hours, in their own zone, and what it leaves as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Browser

from backend.people.models import Psychologist, TimeOff
from tests.support import scenarios, working_hours
from tests.support.admin_site import page_url, psychologist_form
from tests.support.psychologist_page import errors, off, save
from tests.support.working_hours import WEDNESDAY, at

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock")]


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist(hours="")


@pytest.mark.parametrize(
    ("row", "start", "end"),
    [
        ({"first_day": "2026-11-25"}, at("00:00"), at("00:00", WEDNESDAY + timedelta(days=1))),
        (
            {"first_day": "2026-11-25", "last_day": "2026-11-27"},
            at("00:00"),
            at("00:00", WEDNESDAY + timedelta(days=3)),
        ),
        ({"first_day": "2026-11-25", "first_time": "13:00", "last_time": "15:30"}, at("13:00"), at("15:30")),
        (
            {"first_day": "2026-11-25", "first_time": "13:00", "last_day": "2026-11-26", "last_time": "09:00"},
            at("13:00"),
            at("09:00", WEDNESDAY + timedelta(days=1)),
        ),
    ],
)
def test_time_off_is_typed_as_days_or_hours_and_shown_again_as_typed(
    row: dict[str, object], start: datetime, end: datetime, desk: Browser, who: Psychologist
) -> None:
    assert save(desk, who, off({**row, "note": "Leave"})).status_code == 302
    kept = TimeOff.objects.get()
    assert (kept.starts_at, kept.ends_at, kept.note) == (start, end, "Leave")
    page = desk.get(page_url(who)).content.decode()
    for value in row.values():
        assert f'value="{value}"' in page


def test_time_off_is_of_the_psychologists_own_zone(desk: Browser, who: Psychologist) -> None:
    assert save(desk, who, off({"first_day": "2026-11-25"}), time_zone="America/New_York").status_code == 302
    assert TimeOff.objects.get().starts_at == datetime(2026, 11, 25, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"first_day": "2026-11-25", "last_day": "2026-11-24"}, {"last_day"}),
        ({"first_day": "2026-11-25", "first_time": "15:00", "last_time": "15:00"}, {"last_time"}),
        ({"first_day": "25.11.", "note": "Leave"}, {"first_day"}),
        ({"note": "Leave"}, {"first_day"}),
    ],
)
def test_time_off_that_ends_before_it_starts_is_refused_beside_its_field(
    row: dict[str, object], wrong: set[str], desk: Browser, who: Psychologist
) -> None:
    assert errors(save(desk, who, off(row)), "time_off") == [wrong]


def test_the_model_refuses_time_off_that_ends_before_it_starts(who: Psychologist, now: datetime) -> None:
    with pytest.raises(ValidationError) as refused:
        TimeOff(psychologist=who, starts_at=now, ends_at=now).full_clean()
    assert "ends_at" in refused.value.message_dict
    with pytest.raises(IntegrityError), transaction.atomic():
        working_hours.away(who, now, now)


def test_time_off_over_held_slots_lists_them_and_cancels_nothing(
    desk: Browser, who: Psychologist, now: datetime
) -> None:
    booking = scenarios.approved(now=now, who=who, at=at("11:15"))
    scenarios.approved("ravi@example.org", now=now, who=who, at=at("11:15") + timedelta(days=2))
    answer = desk.post(
        page_url(who),
        {
            "full_name": who.full_name,
            "email": who.email,
            "is_active": "on",
            **psychologist_form(off=({"first_day": "2026-11-25"},)),
            "_continue": "1",
        },
        follow=True,
    )
    page = answer.content.decode()
    assert f"Booked within the time off, and unchanged: {booking} (Wed 25 Nov 2026, 11:15 IST)." in page
    assert [row[0] for row in answer.context["in_the_way"]] == [booking]
    assert "<strong>Booked within time off.</strong>" in page
    assert scenarios.again(booking).state == "APPROVED"
