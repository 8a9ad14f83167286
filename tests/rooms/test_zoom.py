"""Zoom's meetings: one a session, made once whatever fails between, and none left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from backend.core.errors import OutsideFailure, Permanent, Transient
from backend.rooms import zoom as module
from backend.rooms.provider import Made, Plan
from backend.rooms.zoom import Account, ZoomRooms
from tests.support import fake_zoom
from tests.support.fake_zoom import ACCOUNT, AS_ASKED, CLIENT, HANG_UP, SECRET, FakeZoom

pytestmark = pytest.mark.sqlite_only
STARTS = datetime(2026, 11, 30, 12, tzinfo=UTC)
PLAN = Plan("0f" * 16, "meera@example.org", STARTS, STARTS + timedelta(minutes=50))


@pytest.fixture
def zoom() -> Iterator[FakeZoom]:
    module._tokens.forget()
    with fake_zoom.serving(PLAN.host) as fake:
        yield fake


def rooms_at(zoom: FakeZoom, *, secret: str = SECRET) -> ZoomRooms:
    return ZoomRooms(Account(ACCOUNT, CLIENT, secret, zoom.url, zoom.url))


def test_a_meeting_says_nothing_and_admits_who_has_its_address(zoom: FakeZoom) -> None:
    made = rooms_at(zoom).make(PLAN)
    (meeting,) = zoom.meetings.values()
    assert made == Made(str(meeting["id"]), meeting["join_url"])
    assert (meeting["topic"], meeting["agenda"]) == ("Appointment", PLAN.name)
    assert (meeting["start_time"], meeting["duration"]) == ("2026-11-30T12:00:00Z", 50)
    asked = meeting["settings"]
    assert (asked["join_before_host"], asked["jbh_time"], asked["waiting_room"]) == (True, 15, False)
    assert (asked["auto_recording"], asked["email_notification"]) == ("none", False)


def test_made_twice_it_is_the_same_on_whatever_page_of_the_listing(zoom: FakeZoom) -> None:
    rooms = rooms_at(zoom)
    for number in range(fake_zoom.A_PAGE + 1):
        rooms.make(Plan(f"other{number}", PLAN.host, PLAN.starts_at, PLAN.ends_at))
    assert rooms.make(PLAN) == rooms.make(PLAN)
    assert len(zoom.meetings) == fake_zoom.A_PAGE + 2


def test_an_answer_that_is_lost_makes_no_second_meeting(zoom: FakeZoom) -> None:
    rooms = rooms_at(zoom)
    rooms.make(Plan("other", PLAN.host, PLAN.starts_at, PLAN.ends_at))  # so that there is a token
    zoom.trouble.extend([AS_ASKED, HANG_UP])
    with pytest.raises(Transient) as failed:
        rooms.make(PLAN)
    assert not failed.value.surely_not_sent
    assert rooms.make(PLAN)
    assert [meeting["agenda"] for meeting in zoom.meetings.values()].count(PLAN.name) == 1


def test_it_is_ended_and_gone_by_its_number_or_by_its_name_and_twice_is_once(zoom: FakeZoom) -> None:
    rooms = rooms_at(zoom)
    for provider_id in (rooms.make(PLAN).provider_id, ""):
        rooms.make(PLAN)
        rooms.unmake(PLAN, provider_id)
        assert not zoom.meetings
        rooms.unmake(PLAN, provider_id)
    assert len(zoom.ended) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(zoom: FakeZoom, status: int) -> None:
    zoom.trouble.append(status)
    with pytest.raises(Transient):
        rooms_at(zoom).make(PLAN)
    assert rooms_at(zoom).make(PLAN)


def test_who_is_no_user_of_the_account_is_refused_by_number_and_not_named(zoom: FakeZoom) -> None:
    stranger = Plan(PLAN.name, "stranger@example.org", PLAN.starts_at, PLAN.ends_at)
    with pytest.raises(Permanent) as refused:
        rooms_at(zoom).make(stranger)
    assert str(refused.value) == "zoom: HTTP 404, code 1001"


def test_a_token_is_kept_and_one_that_is_not_taken_any_more_is_asked_for_anew(zoom: FakeZoom) -> None:
    rooms = rooms_at(zoom)
    rooms.make(PLAN)
    rooms.make(PLAN)
    assert zoom.asked.count("POST /oauth/token") == 1
    zoom.tokens.clear()
    with pytest.raises(Transient):
        rooms.make(PLAN)
    assert rooms.make(PLAN)


def test_a_wrong_secret_holds_up_this_alone_and_is_not_quoted(zoom: FakeZoom) -> None:
    rooms = rooms_at(zoom, secret="another-secret")
    with pytest.raises(OutsideFailure) as failed:
        rooms.make(PLAN)
    assert type(failed.value) is Transient  # no AccountTrouble, which would hold the whole queue
    assert "another-secret" not in f"{failed.value} {rooms._account!r}"
