"""The list of bookings: filters by lookup, and only the fields that were asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.audit.models import AccessRecord
from tests.support import api, scenarios, staff_api
from tests.support.staff_api import BOOKINGS, VIEW, desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def test_a_lookup_narrows_by_several_values_and_by_both_ends(now: datetime) -> None:
    new, booked = scenarios.pending(now=now), scenarios.confirmed("ravi@example.org", now=now)
    gone = scenarios.pending("gone@example.org", now=now)
    staff = desk()
    api.done(staff.act(gone, "reject"))
    slot = booked.slot_start
    assert slot is not None
    for asked, expected in (
        ({"state__in": "PENDING,CONFIRMED"}, [booked, new]),
        ({"state__in": "REJECTED"}, [gone]),
        ({"acknowledgement_id__in": f"{new},{gone}"}, [gone, new]),
        ({"slot_start__gte": slot.isoformat(), "slot_start__lt": (slot + timedelta(1)).isoformat()}, [booked]),
        ({"slot_start__lt": slot.isoformat()}, []),
        ({"psychologist_id__in": f"{booked.psychologist_id},999"}, [booked]),
        ({"state__in": "PENDING", "preferred_date__lte": "2020-01-01"}, []),
    ):
        found = api.done(staff.get(query=asked))["bookings"]
        assert [row["acknowledgement_id"] for row in found] == [str(row) for row in expected], asked


@pytest.mark.parametrize(
    "asked",
    [
        {"state__in": "PENDING,"},
        {"state__in": "pending"},
        {"psychologist_id__in": "1,x"},
        {"psychologist_id__in": ",".join(["1"] * 101)},
        {"slot_start__gte": "yesterday"},
        {"fields": "status,secret"},
    ],
)
def test_what_nobody_knows_is_refused_by_its_name(asked: dict[str, str]) -> None:
    said = api.error(desk().get(query=asked), 400, "invalid")
    assert list(said["errors"]) == list(asked)


def test_only_the_fields_that_were_asked_for_are_answered_and_recorded(now: datetime) -> None:
    booking, staff = scenarios.pending(now=now), desk(VIEW, *staff_api.EVERY_WORD)
    listed = api.done(staff.get(query={"fields": "acknowledgement_id,status"}))["bookings"]
    assert listed == [{"acknowledgement_id": str(booking), "status": "PENDING"}]
    answer = staff.get(f"{BOOKINGS}{booking}/", query={"fields": "status,ledger"})
    assert (set(api.done(answer)), answer["ETag"]) == ({"status", "ledger"}, '"2"')
    assert not AccessRecord.objects.filter(shown__contains="phone_number").exists()
    api.done(staff.get(f"{BOOKINGS}{booking}/", query={"fields": "phone_number"}))
    assert AccessRecord.objects.filter(shown__contains="phone_number").exists()
    said = api.error(staff.get(f"{BOOKINGS}{booking}/", query={"fields": "nothing"}), 400, "invalid")
    assert "user_message" in said["detail"]
