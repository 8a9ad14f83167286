"""`/go/calendar/`: a psychologist's own calendar program reads their sessions, by an address that they end."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client as Browser
from ical.calendar_stream import CalendarStream

from backend.people.models import CalendarAddress, Psychologist
from tests.support import scenarios
from tests.support.admin_site import logged_in

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
OWN, PAGE = "/admin/account/", "/go/calendar/"


@pytest.fixture
def meera() -> Psychologist:
    account = User.objects.create_user("meera", is_staff=True)
    return scenarios.psychologist(user=account)


def read(token: str, **headers: str) -> HttpResponse:
    return Browser(headers=headers).get(PAGE, {"token": token})  # type: ignore[return-value]


def test_it_tells_times_and_initials_and_is_known_by_its_tag(meera: Psychologist, now: datetime) -> None:
    token = CalendarAddress.make(meera, now=now)
    booking = scenarios.confirmed(now=now, who=meera)
    scenarios.confirmed("ravi@example.org", now=now, who=scenarios.psychologist("Dr. Rao"), full_name="Ravi Das")
    answer = read(token)
    (event,) = CalendarStream.from_ics(answer.content.decode()).calendars[0].events
    assert (event.summary, event.dtstart) == (f"A. R. {booking}", booking.slot_start)
    assert not re.search(r"asha|rao|ravi|psycholog|counsel|session", answer.content.decode(), re.IGNORECASE)
    assert [answer[name] for name in ("Cache-Control", "X-Robots-Tag", "Referrer-Policy")] == [
        "no-store",
        "noindex",
        "no-referrer",
    ]
    assert read(token, if_none_match=answer["ETag"]).status_code == 304
    scenarios.call_off(booking, now)
    again = read(token, if_none_match=answer["ETag"])
    assert (again.status_code, b"VEVENT" in again.content) == (200, False)


def test_the_address_is_shown_once_and_ended_by_its_owner(meera: Psychologist, now: datetime) -> None:
    desk = logged_in(meera.user)
    tokens = []
    for _ in range(2):
        shown = desk.post(OWN, {"do": "make_calendar"}).content.decode()
        tokens += re.findall(r"/go/calendar/\?token=([\w-]+)", shown)
    assert [read(token).status_code for token in tokens] == [404, 200]
    assert "token=" not in desk.get(OWN).content.decode()
    desk.post(OWN, {"do": "end_calendar"})
    assert [read(token).status_code for token in [*tokens, "", "nobody"]] == [404] * 4


def test_who_is_out_reads_nothing_more(meera: Psychologist, now: datetime) -> None:
    token = CalendarAddress.make(meera, now=now)
    User.objects.filter(pk=meera.user_id).update(is_active=False)
    assert read(token).status_code == 404


def test_who_gives_no_sessions_has_no_calendar() -> None:
    desk = logged_in(User.objects.create_user("asha", is_staff=True))
    assert "make_calendar" not in desk.get(OWN).content.decode()
    assert desk.post(OWN, {"do": "make_calendar"}).status_code == 404
