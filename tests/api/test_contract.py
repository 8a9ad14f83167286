"""The wire contract of drafts and mailed links: what the released site sends, and what it reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from backend.bookings import policy
from backend.bookings.lifecycle import timers, visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from tests.support import api, factories, scenarios
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

LATER = [state for state in State if state != State.DRAFT]


# -- draft ------------------------------------------------------------------------------------------------------------


def test_a_draft_is_recorded_and_the_answer_says_only_to_check_the_email(now: datetime) -> None:
    response = api.post(api.DRAFT, api.form(now))
    body = api.done(response, 201)
    assert set(body) == {"message"}
    booking = Booking.objects.get()
    assert (booking.state, booking.email, booking.region, booking.age) == (State.DRAFT, ASHA, "NA", 31)
    assert booking.consent_given_at == now
    assert booking.acknowledgement_id not in str(response.serialize())


@pytest.mark.parametrize("state", State)
def test_the_draft_answers_every_address_with_the_same_bytes(state: State, now: datetime) -> None:
    factories.make_booking(state, now=now)
    known = api.post(api.DRAFT, api.form(now))
    unknown = api.post(api.DRAFT, api.form(now, email=RAVI))
    assert api.shown(known) == api.shown(unknown)


def test_the_same_click_arriving_twice_is_one_draft(now: datetime) -> None:
    first, second = (api.post(api.DRAFT, api.form(now)) for _ in range(2))
    assert api.shown(first) == api.shown(second)
    assert Booking.objects.count() == 1


def test_a_draft_for_a_known_address_keeps_nothing_and_mails_the_link(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    api.done(api.post(api.DRAFT, api.form(now, full_name="Somebody Else", user_message="a secret")), 201)
    assert Booking.objects.get() == booking
    assert scenarios.notices_about(booking)[-1] == Notice.ALREADY_BOOKED


# -- verify-email -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", [api.get, api.post])
def test_the_link_proves_the_address_once_and_shows_the_booking_each_time(send: Any, now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    token = {"token": scenarios.token_of(booking)}
    first, second = (api.done(send(api.VERIFY, token)) for _ in range(2))
    assert first == second
    assert set(first) == {"message", "booking"}
    assert set(first["booking"]) == api.DETAIL_FIELDS
    assert first["booking"]["acknowledgement_id"] == booking.acknowledgement_id
    assert first["booking"]["status"] == State.PENDING
    assert scenarios.notices_about(booking).count(Notice.BOOKING_RECEIVED) == 1


@pytest.mark.parametrize("state", LATER)
def test_the_link_shows_every_later_state_and_changes_nothing(state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    visitor.request_link(ASHA, now=now)
    token = {"token": scenarios.token_of(booking, Notice.LINK_REQUESTED)}
    shown, again = (api.done(send(api.VERIFY, token))["booking"] for send in (api.get, api.post))
    assert shown == again
    assert (shown["acknowledgement_id"], shown["status"]) == (booking.acknowledgement_id, state)
    is_confirmed = state == State.CONFIRMED
    assert ("add_to_calendar_url" in shown, shown["meeting_link"] is not None) == (is_confirmed, is_confirmed)
    assert scenarios.again(booking).ledger_sequence == booking.ledger_sequence


def test_the_link_of_a_confirmed_session_shows_where_it_takes_place(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    shown = api.done(api.post(api.VERIFY, {"token": scenarios.token_of(booking)}))["booking"]
    assert (shown["meeting_link"], shown["address"]) == ("https://meet.example.org/meera", None)
    assert shown["psychologist"] == "Dr. Meera Iyer"
    assert shown["approved_slot_start"] == "2026-11-24T12:00:00Z"
    assert shown["approved_slot_end"] == "2026-11-24T13:00:00Z"
    assert (shown["amount"], shown["payment_status"]) == ("1500.00", "paid")
    assert "20261124T120000Z%2F20261124T130000Z" in shown["add_to_calendar_url"]


def test_the_calendar_entry_says_nothing_about_its_subject(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    url = api.done(api.post(api.VERIFY, {"token": scenarios.token_of(booking)}))["booking"]["add_to_calendar_url"]
    title = url.partition("text=")[2].partition("&")[0]
    assert title == f"Appointment+{booking.acknowledgement_id}"
    assert "details=" not in url


def test_an_unknown_link_is_404_and_an_incomplete_one_400() -> None:
    for send in (api.get, api.post):
        api.error(send(api.VERIFY, {"token": "nobody"}), 404, "link_unknown")
        for query in ({}, {"token": ""}, {"token": "x" * 5000}, {"token": "a\x00b"}):
            assert "token" in api.error(send(api.VERIFY, query), 400, "invalid")["errors"]


@pytest.mark.parametrize("is_closed_by_timer", [False, True])
def test_the_link_of_a_lapsed_draft_is_410(
    is_closed_by_timer: bool, now: datetime, clock: time_machine.Traveller
) -> None:
    booking = scenarios.submitted(now=now)
    late = now + policy.DRAFT_LIFETIME
    clock.move_to(late)
    if is_closed_by_timer:
        timers.lapse_draft(booking.pk, now=late)
    for send in (api.get, api.post):
        api.error(send(api.VERIFY, {"token": scenarios.token_of(booking)}), 410, "draft_lapsed")


def test_the_link_of_a_superseded_draft_is_410_with_the_reason(now: datetime) -> None:
    first = scenarios.submitted(now=now)
    second = scenarios.submitted(now=now, user_message="on second thoughts")
    api.done(api.get(api.VERIFY, {"token": scenarios.token_of(second)}))
    api.error(api.get(api.VERIFY, {"token": scenarios.token_of(first)}), 410, "draft_superseded")


def test_a_link_expires_thirty_days_after_its_booking_closed(now: datetime, clock: time_machine.Traveller) -> None:
    booking = factories.make_booking(State.REJECTED, now=now)
    visitor.request_link(ASHA, now=now)
    token = {"token": scenarios.token_of(booking, Notice.LINK_REQUESTED)}
    clock.move_to(now + timedelta(days=30, seconds=-1))
    api.done(api.get(api.VERIFY, token))
    clock.move_to(now + timedelta(days=30))
    api.error(api.get(api.VERIFY, token), 410, "link_expired")


def test_a_draft_beside_an_active_booking_cannot_be_proved(now: datetime) -> None:
    draft = scenarios.submitted(now=now)
    factories.make_booking(State.PENDING, now=now)
    api.error(api.post(api.VERIFY, {"token": scenarios.token_of(draft)}), 409, "already_active")
