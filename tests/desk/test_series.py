"""Move all and cancel all of a series, on the desk's pages and through the staff API: shown first, then whole."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from backend.bookings.lifecycle import follow_ups
from backend.bookings.lifecycle.follow_ups import Rhythm, Series
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.formatting import practice_zone
from tests.support import api, scenarios
from tests.support.admin_site import logged_in, owner, page_url
from tests.support.roles import account
from tests.support.staff_api import desk as staff_desk

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock")]
WEEK = timedelta(days=7)


@pytest.fixture
def bookings(now: datetime) -> list[Booking]:
    last = scenarios.confirmed(now=now)
    places = follow_ups.book_series(last.pk, Series(Rhythm(3, WEEK)), actor="staff:desk", now=now)
    return [place.booking for place in places if place.booking]


def address(booking: Booking, act: str) -> str:
    return f"/admin/bookings/booking/{booking.pk}/{act}/"


def to_start(at: datetime) -> dict[str, str]:
    local = at.astimezone(practice_zone())
    return {"slot_start_0": f"{local:%Y-%m-%d}", "slot_start_1": f"{local:%H:%M}"}


def tried_and_done(browser: Client, booking: Booking, act: str, typed: dict[str, Any]) -> list[dict[str, Any]]:
    shown = browser.post(address(booking, act), typed)
    assert shown.status_code == 200, shown.content.decode()
    done = browser.post(address(booking, act), {**typed, "tried": shown.context["tried"]})
    assert done.status_code == 302
    return list(shown.context["rows"])


def again(bookings: list[Booking]) -> list[Booking]:
    return [scenarios.again(booking) for booking in bookings]


def test_all_move_after_the_page_has_shown_each(bookings: list[Booking]) -> None:
    browser, before = owner(), [booking.slot_start for booking in bookings]
    assert "Move all" in browser.get(page_url(bookings[1])).content.decode()
    assert browser.get(address(bookings[1], "move-all")).context["form"].initial["slot_start"] == before[0]
    rows = tried_and_done(browser, bookings[1], "move-all", to_start(before[0] + WEEK))
    assert all(dict(row["consequences"].lines)["Mail"] == ("sessions moved to asha@example.org (now)",) for row in rows)
    assert [booking.slot_start for booking in again(bookings)] == [start + WEEK for start in before]


def test_what_does_not_fit_is_named_and_there_is_no_button(bookings: list[Booking], now: datetime) -> None:
    start = bookings[2].slot_start + WEEK
    scenarios.approved(scenarios.RAVI, now=now, who=bookings[0].psychologist, at=start)
    browser, typed = owner(), to_start(bookings[0].slot_start + WEEK)
    shown = browser.post(address(bookings[0], "move-all"), typed)
    assert shown.status_code == 409
    assert [bool(row["refused"]) for row in shown.context["rows"]] == [False, False, True]
    assert browser.post(address(bookings[0], "move-all"), {**typed, "tried": shown.context["tried"]}).status_code == 409
    assert [one.slot_start for one in again(bookings)] == [one.slot_start for one in bookings]


def test_what_was_shown_counts_only_for_the_rows_as_they_were(bookings: list[Booking], now: datetime) -> None:
    browser, typed = owner(), {"called_off_by": "practice", "refund": "rules"}
    shown = browser.post(address(bookings[0], "cancel-all"), typed)
    reschedule(bookings[2].pk, Move(bookings[2].slot_start + WEEK), actor="staff:desk", now=now)
    late = browser.post(address(bookings[0], "cancel-all"), {**typed, "tried": shown.context["tried"]})
    assert (late.status_code, {one.state for one in again(bookings)}) == (200, {State.APPROVED})


def test_all_are_cancelled_after_the_page_has_shown_each(bookings: list[Booking]) -> None:
    rows = tried_and_done(owner(), bookings[0], "cancel-all", {"called_off_by": "practice", "refund": "rules"})
    assert [row["booking"] for row in rows] == bookings
    assert {one.state for one in again(bookings)} == {State.CANCELLED}


def test_a_psychologist_moves_a_series_that_is_theirs_alone(bookings: list[Booking], now: datetime) -> None:
    browser = logged_in(account("Psychologist", who=bookings[0].psychologist))
    assert browser.get(address(bookings[0], "move-all")).status_code == 200
    assert browser.get(address(bookings[0], "cancel-all")).status_code == 404
    colleague = scenarios.psychologist("Dr. Other", email="other@example.org")
    reschedule(bookings[1].pk, Move(bookings[1].slot_start, colleague.pk), actor="staff:desk", now=now)
    assert browser.get(address(bookings[0], "move-all")).status_code == 404


def test_a_session_of_no_series_has_no_such_button(now: datetime) -> None:
    page = owner().get(page_url(scenarios.confirmed(now=now))).content.decode()
    assert "Move all" not in page


def test_the_api_tries_and_then_moves_and_cancels(bookings: list[Booking]) -> None:
    desk, asked = staff_desk(), {"first_start": (bookings[0].slot_start + WEEK).isoformat()}
    tried = api.done(desk.act(bookings[0], "move-series", {**asked, "preview": True}))
    assert [(one["fits"], one["booking"]) for one in tried["sessions"]] == [(True, None)] * 3
    moved = api.done(desk.act(bookings[0], "move-series", asked))
    assert [one["acknowledgement_id"] for one in moved["sessions"]] == [str(one) for one in bookings]
    gone = api.done(desk.act(bookings[0], "cancel-series", {}))
    assert {one["booking"]["status"] for one in gone["sessions"]} == {State.CANCELLED}
