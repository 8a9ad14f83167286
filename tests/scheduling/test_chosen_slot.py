"""The text of a chosen slot: what is written is read again, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine

from backend.scheduling import chosen_slot
from backend.scheduling.chosen_slot import ChosenSlot
from backend.scheduling.free_slots import FreeSlot
from tests.support.admin_site import caller_form, new_booking_url, owner

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.mark.parametrize("start", [START, START.astimezone(timezone(timedelta(hours=5, minutes=30)))])
def test_what_is_written_is_read_again(start: datetime) -> None:
    slot = FreeSlot(start, start + HOUR, 7, "ONLINE", None)
    assert chosen_slot.decode_slot(chosen_slot.encode_slot(slot)) == ChosenSlot(7, start)
    assert chosen_slot.decode_slot(chosen_slot.encode_slot(slot, with_length=True)) == ChosenSlot(7, start, HOUR)


WRONG = [
    *("", "7", "@", "7@", "@2026-11-24T06:30:00+00:00", "x@2026-11-24T06:30:00+00:00"),
    *("-7@2026-11-24T06:30:00+00:00", "7_0@2026-11-24T06:30:00+00:00", "७@2026-11-24T06:30:00+00:00"),
    "9" * 30 + "@2026-11-24T06:30:00+00:00",
    *("7@soon", "7@2026-11-24T06:30:00", "7@0001-01-01T00:00:00+05:30", "7@9999-12-31T23:59:59-12:00"),
    *("7@2026-11-24T06:30:00+00:00@", "7@2026-11-24T06:30:00+00:00@-1", "7@2026-11-24T06:30:00+00:00@1@2"),
]


@pytest.mark.parametrize("text", WRONG)
def test_what_no_page_writes_is_no_choice(text: str) -> None:
    assert chosen_slot.decode_slot(text) is None


@pytest.mark.django_db
@pytest.mark.parametrize("text", [text for text in WRONG if text])
def test_a_form_says_that_such_a_slot_is_not_offered(text: str) -> None:
    answer = owner().post(new_booking_url(), caller_form(offered=text))
    assert answer.status_code == 400
    assert answer.context["form"].errors == {"offered": ["This slot is not offered any more. Choose again."]}
