"""The mailed pages of times: what they offer, that only the button acts, and what a second click or a loser meets."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse

from backend.bookings import policy
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import choices
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import State
from backend.bookings.models import Booking, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.people.models import Psychologist
from tests.support import scenarios, working_hours
from tests.support.alternatives import rejected, tokens
from tests.support.database_rows import everything
from tests.support.link_pages import browser, look, press, shown
from tests.support.scenarios import ASHA, RAVI
from tests.support.sponsors import acme, approve, with_code

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

ALTERNATIVE, RESCHEDULE = "/go/alternative/", "/go/reschedule/"
DAY, HOUR, WEEK = timedelta(days=1), timedelta(hours=1), timedelta(days=7)


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist()


def looked(path: str, **query: str) -> HttpResponse:
    return browser().get(path, query)


def radios(page: HttpResponse) -> list[str]:
    return [unescape(value) for value in re.findall(r'type="radio" name="slot" value="([^"]+)"', page.content.decode())]


# -- a time that a rejection offered ----------------------------------------------------------------------------------


def test_the_page_of_a_time_shows_it_and_changes_nothing(who: Psychologist, now: datetime) -> None:
    first, second, third = tokens(rejected(who, now))
    unchanged = everything()
    page = look(ALTERNATIVE, second)
    text = shown(page)
    assert "Do you want to take this time?" in text
    assert "When Friday, 27 November 2026, 10:00 IST to 11:00 IST With Dr. Meera Iyer Where Online" in text
    assert "₹1,500.00" in text
    assert "Thursday, 26 November 2026" in text
    assert '<time datetime="2026-11-27T04:30:00Z">Friday' in page.content.decode()  # a browser adds its own zone's
    assert f'href="./?token={first}"' in page.content.decode()
    assert f'href="./?token={third}"' in page.content.decode()
    assert ASHA not in text
    assert "Asha" not in text
    assert browser().head(ALTERNATIVE, {"token": second}).status_code == 200
    assert everything() == unchanged
    assert not SlotClaim.objects.exists()


def test_the_button_takes_the_time_and_a_second_press_shows_the_same(who: Psychologist, now: datetime) -> None:
    first, second, _ = tokens(rejected(who, now))
    page = look(ALTERNATIVE, second)
    text = shown(press(page))
    booking = Booking.objects.get(state=State.APPROVED)
    assert "This time is yours" in text
    assert booking.acknowledgement_id in text
    assert "Please pay by Tuesday, 24 November 2026, 10:00 IST" in text
    unchanged = everything()
    for again in (press(page), look(ALTERNATIVE, second), look(ALTERNATIVE, first)):
        assert shown(again) == text
    assert everything() == unchanged


def test_who_comes_second_reads_what_is_left(who: Psychologist, now: datetime) -> None:
    first, second, third = tokens(rejected(who, now))
    page = look(ALTERNATIVE, second)
    scenarios.approved(RAVI, now=now, who=who, at=now + 4 * DAY)
    unchanged = everything()
    lost = press(page)
    text = shown(lost, 409)
    assert "Somebody else has just taken it, and nothing was booked for you." in text
    assert "Still free of what we have offered you" in text
    assert "<form" not in lost.content.decode()
    assert all(f'href="./?token={token}"' in lost.content.decode() for token in (first, third))
    assert everything() == unchanged
    assert "Somebody else has taken it in the meantime" in shown(look(ALTERNATIVE, second))
    assert "This time is yours" in shown(press(look(ALTERNATIVE, third)))


def test_when_nothing_is_left_it_says_so(who: Psychologist, now: datetime) -> None:
    token = tokens(rejected(who, now))[0]
    working_hours.away(who, now, now + 30 * DAY)  # is in nobody's way: the time was promised
    for number, email in enumerate(("a@example.org", "b@example.org", "c@example.org")):
        booking = scenarios.pending(email, now=now)
        approval = staff.Approval(who.pk, now + (number + 3) * DAY, despite_hours=True)
        staff.approve(booking.pk, approval, actor="staff:desk", now=now)
    text = shown(look(ALTERNATIVE, token))
    assert "None of the times that we have offered you is free any more." in text


def test_an_expired_link_and_an_unknown_one_are_pages(
    who: Psychologist, now: datetime, clock: time_machine.Traveller
) -> None:
    token = tokens(rejected(who, now))[0]
    clock.move_to(now + policy.ALTERNATIVE_LINK_LIFETIME)
    for path in (ALTERNATIVE, RESCHEDULE):
        shown(look(path, "nobody"), 404)
        shown(browser().post(path, {"token": "nobody", "slot": f"1@{now.isoformat()}"}), 404)
    shown(look(ALTERNATIVE, token), 410)
    shown(browser().post(ALTERNATIVE, {"token": token}), 410)


def test_one_who_has_asked_again_reads_why_not(who: Psychologist, now: datetime) -> None:
    page = look(ALTERNATIVE, tokens(rejected(who, now))[0])
    scenarios.pending(now=now)
    assert "already an open booking" in shown(press(page), 409)


# -- another time for a session ---------------------------------------------------------------------------------------


def moving_token(booking: Booking, notice: Notice = Notice.BOOKING_CONFIRMED) -> str:
    return scenarios.token_of(booking, notice, Purpose.RESCHEDULE)


def confirmed(who: Psychologist, now: datetime, days: int = 8) -> Booking:
    """On the Tuesday of next week."""
    return scenarios.confirmed(now=now, who=who, at=now + days * DAY)


def test_the_page_opens_at_the_first_day_with_a_free_time_and_changes_nothing(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    token = moving_token(booking)
    unchanged = everything()
    page = look(RESCHEDULE, token)
    text = shown(page)
    assert "Now Tuesday, 1 December 2026, 10:00 IST to 11:00 IST With Dr. Meera Iyer" in text
    assert "Until Monday, 30 November 2026, 10:00 IST you can choose another time 2 times." in text
    assert "23 November to 29 November 2026 Mon 23 none Tue 24 6 times Wed 25 6 times" in text
    assert "Tuesday, 24 November 2026 With Dr. Meera Iyer 10:00 IST 11:15 IST" in text
    assert "Days and times are the practice's (Asia/Kolkata), wherever you are." in text
    assert "The week before" not in text
    assert ASHA not in text
    assert len(radios(page)) == 6
    assert browser().head(RESCHEDULE, {"token": token}).status_code == 200
    assert everything() == unchanged


def test_days_and_weeks_are_turned_by_links(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    token = moving_token(booking)
    page = looked(RESCHEDULE, token=token, day="2026-12-01")
    text = shown(page)
    assert "30 November to 6 December 2026" in text
    assert len(radios(page)) == 5
    assert f"{who.pk}@{booking.slot_start.isoformat()}" not in radios(page)  # its own time is no other
    links = re.findall(r'href="\./\?token=([^"&]+)&amp;day=([^"]+)"( aria-current| rel="\w+")?', page.content.decode())
    days = [f"2026-{day}" for day in ("11-30", "12-01", "12-02", "12-03", "12-04", "12-05", "12-06")]
    assert links == [
        *((token, day, " aria-current" if day == "2026-12-01" else "") for day in days),
        (token, "2026-11-23", ' rel="prev"'),
        (token, "2026-12-07", ' rel="next"'),
    ]
    last = looked(RESCHEDULE, token=token, day="2031-01-01")
    assert "The week after" not in shown(last)
    for nonsense in ("x", "2026-02-31", "1000-01-01", ""):
        assert "23 November to" in shown(looked(RESCHEDULE, token=token, day=nonsense))


def test_the_same_psychologist_comes_first_and_others_of_the_mode_after(who: Psychologist, now: datetime) -> None:
    other = working_hours.psychologist("Dr. Abel Other", hours="08:00 10:00")
    working_hours.weekly(working_hours.psychologist("Dr. Rooms", hours=""), "08:00 20:00", offers="OFFLINE")
    page = looked(RESCHEDULE, token=moving_token(confirmed(who, now)), day="2026-11-25")
    text = shown(page)
    assert "With Dr. Meera Iyer 10:00 IST" in text
    assert "With Dr. Abel Other 08:00 IST" in text
    assert "Rooms" not in text
    assert [value.partition("@")[0] for value in radios(page)] == [*[str(who.pk)] * 6, str(other.pk)]


def test_the_button_moves_the_session_and_a_second_press_shows_the_same(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    page = look(RESCHEDULE, moving_token(booking))
    chosen, another = radios(page)[:2]
    text = shown(press(page, slot=chosen))
    assert "This is the time of your session now" in text
    assert "When Tuesday, 24 November 2026, 10:00 IST to 11:00 IST With Dr. Meera Iyer" in text
    unchanged = everything()
    for again in (press(page, slot=chosen), press(page, slot=another), look(RESCHEDULE, moving_token(booking))):
        assert shown(again) == text
    assert everything() == unchanged
    assert scenarios.again(booking).slot_start == now + DAY


def test_without_a_choice_nothing_moves(who: Psychologist, now: datetime) -> None:
    page = look(RESCHEDULE, moving_token(confirmed(who, now)))
    unchanged = everything()
    for nonsense in ("", "x", "1@", "1@2026-11-24", f"x@{now.isoformat()}", "1@0001-01-01T00:00:00+00:00", "²@x"):
        assert "Please choose a time. Nothing was changed." in shown(press(page, slot=nonsense), 400)
    assert "Please choose a time." in shown(press(page), 400)
    assert everything() == unchanged


def test_who_comes_second_chooses_again_on_the_same_day(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    page = looked(RESCHEDULE, token=moving_token(booking), day="2026-12-07")
    chosen = radios(page)[0]
    scenarios.approved(RAVI, now=now, who=who, at=datetime.fromisoformat(chosen.partition("@")[2]))
    unchanged = everything()
    lost = press(page, slot=chosen)
    assert "This time is already taken. Nothing was changed." in shown(lost, 409)
    assert "Monday, 7 December 2026" in shown(lost, 409)
    assert chosen not in radios(lost)
    assert everything() == unchanged
    assert "This is the time of your session now" in shown(press(lost, slot=radios(lost)[0]))


def test_a_week_without_a_free_time_says_so(who: Psychologist, now: datetime) -> None:
    token = moving_token(confirmed(who, now))
    working_hours.away(who, now, now + 400 * DAY)
    assert "Nothing is free in this week." in shown(look(RESCHEDULE, token))


def test_an_unpaid_session_says_what_becomes_of_its_deadline(who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=now + 8 * DAY)
    page = look(RESCHEDULE, moving_token(booking, Notice.BOOKING_APPROVED))
    assert "The time to pay does not get longer" in shown(page)
    assert "Please pay by Tuesday, 24 November 2026, 10:00 IST" in shown(press(page, slot=radios(page)[-1]))


def test_who_is_asked_to_choose_reads_why_and_moves_though_it_is_near(
    who: Psychologist, now: datetime, clock: time_machine.Traveller
) -> None:
    booking = scenarios.confirmed(now=now, who=who, at=now + DAY)
    clock.move_to(now + HOUR)
    choices.offer_choice(booking.pk, actor="staff:desk", now=now + HOUR)
    page = look(RESCHEDULE, moving_token(booking, Notice.CHOICE_OFFERED))
    text = shown(page)
    assert "Cannot be held Tuesday, 24 November 2026, 10:00 IST" in text
    assert "Please choose another by Tuesday, 24 November 2026, 08:00 IST" in text
    assert "keep your time" not in text
    assert "This is the time of your session now" in shown(press(page, slot=radios(page)[-1]))
    assert scenarios.again(booking).moves_by_visitor == 0


def test_a_month_that_the_sponsor_does_not_cover_is_refused_on_the_page(who: Psychologist, now: datetime) -> None:
    acme()
    booking = approve(with_code(now=now), now, now + 3 * DAY)
    approve(with_code(RAVI, now=now), now, now + 10 * DAY)
    page = looked(RESCHEDULE, token=moving_token(booking), day="2026-12-07")
    assert "does not cover one at that time" in shown(press(page, slot=radios(page)[0]), 409)


def test_why_it_cannot_be_moved_is_told(who: Psychologist, now: datetime, clock: time_machine.Traveller) -> None:
    booking = confirmed(who, now)
    token = moving_token(booking)
    Booking.objects.filter(pk=booking.pk).update(moves_by_visitor=2)
    assert "as often as possible" in shown(look(RESCHEDULE, token), 409)
    Booking.objects.filter(pk=booking.pk).update(moves_by_visitor=0)
    clock.move_to(now + 7 * DAY + timedelta(seconds=1))
    assert "until 24 hours before" in shown(look(RESCHEDULE, token), 409)
    clock.move_to(now)
    reschedule(booking.pk, Move(now + 9 * DAY), actor="staff:desk", now=now)
    shown(look(RESCHEDULE, token), 410)


def test_the_pages_cost_few_queries(who: Psychologist, now: datetime, django_assert_max_num_queries: Any) -> None:
    token = moving_token(confirmed(who, now))
    with django_assert_max_num_queries(8):  # the link, twice three for the slots, the names
        look(RESCHEDULE, token)
    token = tokens(rejected(who, now, RAVI))[0]
    with django_assert_max_num_queries(10):
        look(ALTERNATIVE, token)
