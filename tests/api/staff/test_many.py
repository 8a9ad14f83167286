"""Many decisions at once: one answer for each, each its own transaction, and none twice."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.api.staff import many
from backend.bookings.lifecycle import approval
from backend.bookings.machine import State
from tests.support import api, scenarios
from tests.support.staff_api import BOOKINGS, desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
REJECT = f"{BOOKINGS}many/reject/"


def test_what_is_refused_of_one_leaves_the_others(now: datetime) -> None:
    first, second, staff = scenarios.pending(now=now), scenarios.pending("ravi@example.org", now=now), desk()
    sent = [
        {"acknowledgement_id": str(first), "if_match": '"2"', "note_to_visitor": "Sorry."},
        {"acknowledgement_id": str(second), "if_match": '"1"'},
        {"acknowledgement_id": "MS-ZZZZZZ"},
        {"acknowledgement_id": str(first)},
    ]
    told = api.done(staff.post(REJECT, {"items": sent}))["items"]
    assert [(one["status"], one["code"]) for one in told] == [
        (200, None),
        (412, "changed_since"),
        (404, "booking_unknown"),
        (409, "state_refuses"),
    ]
    assert told[0]["booking"]["status"] == State.REJECTED
    assert scenarios.again(second).state == State.PENDING


def test_a_slot_is_promised_to_the_first_of_two(now: datetime) -> None:
    rows, staff, who = [scenarios.pending(f"{n}@example.org", now=now) for n in "ab"], desk(), scenarios.psychologist()
    slot = {"psychologist_id": who.pk, "slot_start": scenarios.slot_tomorrow(now).isoformat()}
    sent = {"items": [{"acknowledgement_id": str(row), **slot} for row in rows]}
    told = api.done(staff.post(f"{BOOKINGS}many/approve/", sent))["items"]
    assert [(one["status"], one["code"]) for one in told] == [(200, None), (409, "slot_taken")]


@pytest.mark.parametrize("items", [None, [], {}, ["MS-AAAAAA"], [{}], [{"acknowledgement_id": "x", "if_match": "2"}]])
def test_a_body_that_cannot_be_read_does_nothing(items: object, now: datetime) -> None:
    booking, staff = scenarios.pending(now=now), desk()
    good = [{"acknowledgement_id": str(booking)}]
    body = {"items": good + items if isinstance(items, list) and items else items}
    assert "items" in api.error(staff.post(REJECT, body), 400, "invalid")["errors"]
    too_many = {"items": good * (many.MOST + 1)}
    api.error(staff.post(REJECT, too_many), 400, "invalid")
    assert scenarios.again(booking).state == State.PENDING


def test_a_fault_of_ours_in_one_hides_nothing_of_the_others(now: datetime, monkeypatch) -> None:
    rows, staff, reject = [scenarios.pending(f"{n}@example.org", now=now) for n in "ab"], desk(), approval.reject

    def broken(booking_id: int, **given: object) -> object:
        if booking_id == rows[0].pk:
            raise ZeroDivisionError
        return reject(booking_id, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(approval, "reject", broken)
    told = api.done(staff.post(REJECT, {"items": [{"acknowledgement_id": str(row)} for row in rows]}))["items"]
    assert [(one["status"], one["code"]) for one in told] == [(500, "error"), (200, None)]


def test_with_a_key_the_answer_comes_again_and_nothing_is_done_twice(now: datetime) -> None:
    booking, staff = scenarios.pending(now=now), desk()
    body, key = {"items": [{"acknowledgement_id": str(booking)}]}, "a-key-of-sixteen-and-more"
    first, again = (staff.post(REJECT, body, idempotency_key=key) for _ in range(2))
    assert first.status_code == 200
    assert first.content == again.content
    assert scenarios.again(booking).ledger_sequence == 3
