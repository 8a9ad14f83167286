"""Which actions a booking's page offers in which state, and what staff read when an action is refused."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client as Browser
from django.utils.html import escape

from backend.bookings.lifecycle import approval
from backend.bookings.machine import State
from tests.support import scenarios
from tests.support.action_cases import BY_NAME, CASES, called_off
from tests.support.admin_site import action_url, buttons, form_of, owner, page_url, written
from tests.support.factories import make_booking

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


@pytest.fixture
def desk_browser() -> Browser:
    return owner()


# -- which buttons are shown -------------------------------------------------------------------------------------------

OFFERED = {
    State.DRAFT: set(),
    State.PENDING: {"approve", "sponsor", "reject", "cancel"},
    State.APPROVED: {"record-payment", "sponsor", "reschedule", "offer-choice", "cancel"},
    State.PAYMENT_PENDING: {"record-payment", "sponsor", "reschedule", "offer-choice", "cancel"},
    State.CONFIRMED: {"record-payment", "reschedule", "offer-choice", "cancel"},
    State.COMPLETED: {"record-payment", "record-outcome"},
    State.REJECTED: set(),
    State.CANCELLED: set(),
    State.PAYMENT_FAILED: set(),
}


@pytest.mark.parametrize("state", State)
def test_only_possible_actions_are_offered(state: State, desk_browser: Browser, now: datetime) -> None:
    booking = make_booking(state, now=now)
    assert buttons(desk_browser, booking) == OFFERED[state]
    refused = set(BY_NAME) - OFFERED[state]
    for name in refused:
        answer = desk_browser.get(action_url(booking, name))
        assert (answer.status_code, answer["Location"]) == (302, page_url(booking))
    page = desk_browser.get(page_url(booking)).content.decode()  # says all of it at once
    for name in refused:
        assert f"“{BY_NAME[name].label}” is not possible now. It is now {state.label}" in page


@pytest.mark.parametrize("state", State)
def test_what_is_not_offered_is_refused_when_sent_all_the_same(
    state: State, desk_browser: Browser, now: datetime
) -> None:
    booking = make_booking(state, now=now)
    cases = {case.name: case for case in CASES if case.name not in OFFERED[state] and case.name != "refund-made"}
    for case in cases.values():
        typed, before = case.typed(booking), written()
        answer = desk_browser.post(action_url(booking, case.name), typed)
        assert answer.status_code in (400, 409), case.name
        assert written() == before
        assert case.action.submit not in answer.content.decode()


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_the_second_of_two_reads_who_was_first(desk_browser: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    opened = called_off(booking)
    approval.reject(booking.pk, note_to_visitor="No.", actor="staff:meera", now=now)
    before = written()
    answer = desk_browser.post(action_url(booking, "cancel"), opened)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "This booking was dealt with before you. It is now Rejected: staff declined the request (meera, " in page
    assert escape("We are full.") in page
    assert "Cancel and tell the visitor" not in page
    assert written() == before


def test_a_long_note_is_refused_and_stays_on_the_page(desk_browser: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    before = written()
    answer = desk_browser.post(action_url(booking, "reject"), form_of(booking, note_to_visitor="n" * 301))
    assert answer.status_code == 400
    assert "n" * 301 in answer.content.decode()
    assert written() == before
    longest = "n" * 298 + "\r\n" + "n"  # a browser counts 300
    assert (
        desk_browser.post(action_url(booking, "reject"), form_of(booking, note_to_visitor=longest)).status_code == 302
    )
    assert scenarios.again(booking).note_to_visitor == "n" * 298 + "\nn"
