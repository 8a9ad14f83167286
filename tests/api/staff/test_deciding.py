"""What staff decide through their API: approval, rejection, cancelling, moving, outcome."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import LedgerEntry, SlotClaim
from backend.payments.models import Payment, Refund
from tests.support import api, scenarios
from tests.support.database_rows import everything
from tests.support.scenarios import RAVI
from tests.support.staff_api import (
    SUMMARY,
    Desk,
    approval,
    at,
    desk,
)

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
DAY = timedelta(days=1)


def test_an_approval_sets_what_staff_chose(staff: Desk, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    chosen = {"amount": "999.05", "slot_minutes": 90, "meeting_link": "https://meet.example.org/other"}
    body = api.done(staff.act(booking, "approve", approval(now, **chosen)))
    assert set(body) == SUMMARY
    assert (body["status"], body["amount"]) == (State.APPROVED, "999.05")
    assert (body["slot_start"], body["slot_end"]) == ("2026-11-24T12:00:00Z", "2026-11-24T13:30:00Z")
    assert scenarios.again(booking).meeting_link == "https://meet.example.org/other"
    entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
    assert (entry.intent, entry.actor) == ("approve", "staff:desk")


def test_an_instant_with_another_offset_is_the_same_instant(staff: Desk, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    body = api.done(staff.act(booking, "approve", approval(now, slot_start="2026-11-24T17:30:00+05:30")))
    assert body["slot_start"] == "2026-11-24T12:00:00Z"


def test_the_loser_of_a_slot_is_offered_free_ones(staff: Desk, now: datetime) -> None:
    who = scenarios.psychologist()
    scenarios.approved(RAVI, now=now, who=who)
    booking = scenarios.pending(now=now)
    refused = api.error(staff.act(booking, "approve", approval(now, who=who)), 409, "slot_taken")
    assert len(refused["free_slots"]) == 3
    free = refused["free_slots"][0]["start"]
    assert free.endswith("Z")
    api.done(staff.act(booking, "approve", approval(now, who=who, slot_start=free)))
    taken = api.error(
        staff.act(booking, "reschedule", {"slot_start": at(scenarios.slot_tomorrow(now))}), 409, "slot_taken"
    )
    assert taken["free_slots"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"psychologist_id": 999}, "psychologist_required", "psychologist_id"),
        ({"psychologist_id": None}, "invalid", "psychologist_id"),
        ({"psychologist_id": "x"}, "invalid", "psychologist_id"),
        ({"slot_start": "2026-11-24T12:00:00"}, "invalid", "slot_start"),
        ({"slot_start": "2026-11-24"}, "invalid", "slot_start"),
        ({"slot_start": "2026-11-31T12:00:00Z"}, "invalid", "slot_start"),
        ({"slot_start": "0001-01-01T00:00:00+14:00"}, "invalid", "slot_start"),
        ({"slot_start": "9999-12-31T23:59:59-12:00"}, "invalid", "slot_start"),
        ({"slot_start": "9999-12-31T23:59:59Z"}, "slot_invalid", "slot_start"),
        ({"slot_start": "2026-11-23T04:30:00Z"}, "slot_past", "slot_start"),
        ({"slot_start": 1_800_000_000}, "invalid", "slot_start"),
        ({"slot_minutes": 0}, "invalid", "slot_minutes"),
        ({"slot_minutes": 241}, "slot_invalid", "slot_start"),
        ({"amount": "-1.00"}, "invalid", "amount"),
        ({"amount": "1.005"}, "invalid", "amount"),
        ({"amount": "1.5"}, "invalid", "amount"),
        ({"amount": "1e3"}, "invalid", "amount"),
        ({"amount": "१००"}, "invalid", "amount"),
        ({"amount": 1500}, "invalid", "amount"),
        ({"amount": 1500.0}, "invalid", "amount"),
        ({"amount": "21474836.48"}, "invalid", "amount"),
        ({"amount": "99999999999999999999"}, "invalid", "amount"),
        ({"amount": "100000.01"}, "amount_invalid", "amount"),
        ({"meeting_link": "javascript:alert(1)"}, "invalid", "meeting_link"),
        ({"meeting_link": "http://meet.example.org"}, "invalid", "meeting_link"),
        ({"meeting_link": "https://meet.example.org/" + "x" * 200}, "invalid", "meeting_link"),
        ({"location_id": -1}, "invalid", "location_id"),
        ({"guardian_consent": "yes"}, "invalid", "guardian_consent"),
    ],
)
def test_an_approval_that_does_not_hold_is_400_with_its_field(
    staff: Desk, change: dict[str, Any], code: str, field: str, now: datetime
) -> None:
    booking = scenarios.pending(now=now)
    sent = approval(now) | change
    unchanged = everything()
    assert set(api.error(staff.act(booking, "approve", sent), 400, code)["errors"]) == {field}
    assert everything() == unchanged


def test_an_approval_needs_a_link_a_place_a_guardian_and_a_second_look(staff: Desk, now: datetime) -> None:
    nowhere = scenarios.psychologist("Dr. Nowhere", meeting_link="")
    booking = scenarios.pending(now=now)
    missing = api.error(staff.act(booking, "approve", approval(now, who=nowhere)), 400, "meeting_link_required")
    assert set(missing["errors"]) == {"meeting_link"}
    in_person = scenarios.pending(RAVI, now=now, mode="OFFLINE")
    api.error(staff.act(in_person, "approve", approval(now, who=nowhere)), 400, "address_required")
    minor = scenarios.pending("third@example.org", now=now, age=16)
    asked = approval(now, who=scenarios.psychologist())
    api.error(staff.act(minor, "approve", asked), 409, "guardian_consent_required")
    assert api.done(staff.act(minor, "approve", {**asked, **scenarios.GUARDIAN_SENT}))["is_minor"]
    assert scenarios.again(minor).guardian_consent_by == "staff:desk"
    api.post(api.ASK_TO_CANCEL, {"acknowledgement_id": booking.acknowledgement_id})
    asked = approval(now, who=scenarios.psychologist())
    api.error(staff.act(booking, "approve", asked), 409, "cancellation_pending")
    api.done(staff.act(booking, "approve", {**asked, "despite_cancellation_request": True}))


def test_a_rejection_keeps_the_note_for_the_visitor(staff: Desk, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    body = api.done(staff.act(booking, "reject", {"note_to_visitor": "Fully booked.\nSorry."}))
    assert (body["status"], scenarios.again(booking).note_to_visitor) == (State.REJECTED, "Fully booked.\nSorry.")
    api.error(staff.act(booking, "reject"), 409, "state_refuses")
    api.error(staff.act(booking, "reject", {"note_to_visitor": "x" * 301}), 400, "invalid")


def test_cancelling_gives_everything_back_unless_staff_say_why_not(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    kept = {"refund": "none", "note_to_visitor": "We are ill."}
    refused = api.error(staff.act(booking, "cancel", kept), 400, "refund_reason_required")
    assert set(refused["errors"]) == {"refund_reason"}
    api.error(staff.act(booking, "cancel", {"refund": "half"}), 400, "invalid")
    assert api.done(staff.act(booking, "cancel"))["status"] == State.CANCELLED
    assert Refund.objects.get().amount_paise == 150_000
    api.error(staff.act(booking, "cancel"), 409, "state_refuses")
    other = scenarios.confirmed(RAVI, now=now, at=now + 3 * DAY)
    api.done(staff.act(other, "cancel", {**kept, "refund_reason": "agreed by telephone"}))
    assert Refund.objects.count() == 1


def test_a_move_keeps_id_and_payment(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    other = scenarios.psychologist("Dr. Other", meeting_link="https://meet.example.org/other")
    sent = {"slot_start": at(now + 2 * DAY), "psychologist_id": other.pk, "slot_minutes": 30}
    body = api.done(staff.act(booking, "reschedule", sent))
    assert (body["status"], body["psychologist"]["id"]) == (State.CONFIRMED, other.pk)
    assert (body["slot_start"], body["slot_end"]) == ("2026-11-25T04:30:00Z", "2026-11-25T05:00:00Z")
    assert Payment.objects.count() == SlotClaim.objects.count() == 1
    api.error(staff.act(booking, "reschedule", {}), 400, "invalid")
    api.error(staff.act(booking, "reschedule", {"slot_start": at(now - DAY)}), 400, "slot_past")


def test_the_visitor_is_asked_to_choose_once(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + 3 * DAY)
    body = api.done(staff.act(booking, "offer-choice"))
    assert (body["status"], body["choose_by"]) == (State.CONFIRMED, "2026-11-25T04:30:00Z")
    refused = api.error(staff.act(booking, "offer-choice"), 409, "choice_open")
    assert "by Wednesday, 25 November 2026, 10:00 IST" in refused["detail"]


def test_an_outcome_is_recorded_and_corrected_while_it_may(
    staff: Desk, now: datetime, clock: time_machine.Traveller
) -> None:
    booking = scenarios.confirmed(now=now)
    early = api.error(staff.act(booking, "outcome", {"outcome": "attended"}), 409, "outcome_closed")
    assert "7 days" in early["detail"]
    clock.move_to(booking.slot_start)
    staff = desk(username="later")
    for outcome in ("attended", "no_show"):
        assert api.done(staff.act(booking, "outcome", {"outcome": outcome}))["outcome"] == outcome
    api.error(staff.act(booking, "outcome", {"outcome": "asleep"}), 400, "invalid")
    clock.move_to(booking.slot_end + policy.OUTCOME_OPEN_FOR)
    staff = desk(username="too late")
    api.error(staff.act(booking, "outcome", {"outcome": "attended"}), 409, "outcome_closed")


def test_a_long_user_name_fits_the_ledger(now: datetime) -> None:
    staff = desk(username="x" * 150)
    booking = scenarios.pending(now=now, age=16)
    api.done(staff.act(booking, "approve", approval(now, **scenarios.GUARDIAN_SENT)))
    entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
    assert entry.actor == f"staff:{'x' * 74}" == scenarios.again(booking).guardian_consent_by
