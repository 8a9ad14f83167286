"""A room of one's own: no two sessions share one, none opens outside its time, and what ends a session ends it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from time_machine import Traveller

from backend.bookings.lifecycle import cancellation, rescheduling, timers, undo
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move
from backend.bookings.models import Booking, LedgerEntry, Purpose
from backend.bookings.notices import Notice
from backend.rooms.models import Room
from tests.support import api, jitsi, scenarios
from tests.support.link_pages import browser, look, press, shown

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "jitsi_rooms")]

OF_PSYCHOLOGIST = (Notice.PSYCHOLOGIST_SESSION_CONFIRMED, Purpose.ROOM)
MINUTE = timedelta(minutes=1)


def door(booking: Booking, *, as_host: bool = False) -> HttpResponse:
    token = scenarios.token_of(booking, *OF_PSYCHOLOGIST) if as_host else scenarios.token_of(booking)
    return look("/go/room/", token)


def enter(booking: Booking, *, as_host: bool = False) -> str:
    return str(press(door(booking, as_host=as_host))["Location"])


def test_both_enter_the_same_room_and_its_psychologist_leads_it(now: datetime, clock: Traveller) -> None:
    booking = scenarios.confirmed(now=now)
    clock.move_to(booking.slot_start)
    guest, host = enter(booking), enter(booking, as_host=True)
    room = Room.objects.get(booking=booking)
    assert jitsi.room_of(guest) == jitsi.room_of(host) == room.name
    assert [jitsi.claims(one)["context"]["user"]["moderator"] for one in (guest, host)] == ["false", "true"]
    assert jitsi.claims(guest)["context"]["user"].keys() == {"id", "moderator", "affiliation"}  # nobody's name
    assert jitsi.claims(guest)["sub"] == jitsi.HOST


def test_two_sessions_of_one_psychologist_share_no_room(now: datetime, clock: Traveller) -> None:
    meera = scenarios.psychologist()
    first = scenarios.confirmed(now=now, who=meera)
    second = scenarios.confirmed(scenarios.RAVI, now=now, who=meera, at=first.slot_end + timedelta(minutes=15))
    clock.move_to(first.slot_end + 5 * MINUTE)  # the first's room is still open, the second's is already
    assert jitsi.room_of(enter(first)) != jitsi.room_of(enter(second))


@pytest.mark.parametrize(
    ("after_start", "is_open", "says"),
    [(-16, False, "not open yet"), (-15, True, "is open"), (74, True, "is open"), (75, False, "is over")],
)
def test_it_opens_15_minutes_before_and_closes_15_after(
    after_start: int, is_open: bool, says: str, now: datetime, clock: Traveller
) -> None:
    booking = scenarios.confirmed(now=now)
    at = booking.slot_start + after_start * MINUTE
    clock.move_to(at)
    assert says in shown(door(booking), 410 if after_start == 75 else 200)
    entered = browser().post("/go/room/", {"token": scenarios.token_of(booking)})
    assert ("Location" in entered) == is_open
    assert not is_open or jitsi.admits(entered["Location"], at=at)


def test_what_was_made_is_of_no_use_outside_the_rooms_time(now: datetime, clock: Traveller) -> None:
    booking = scenarios.confirmed(now=now)
    clock.move_to(booking.slot_start)
    address = enter(booking)
    times = [booking.slot_start - 16 * MINUTE, booking.slot_start, booking.slot_end + 15 * MINUTE]
    assert [jitsi.admits(address, at=at) for at in times] == [False, True, False]


def test_a_move_makes_another_room_and_ends_the_ways_into_the_first(now: datetime, clock: Traveller) -> None:
    booking = scenarios.confirmed(now=now)
    hosts = scenarios.token_of(booking, *OF_PSYCHOLOGIST)
    clock.move_to(booking.slot_start - 5 * MINUTE)
    before = enter(booking)
    later = booking.slot_start + timedelta(hours=3)
    rescheduling.reschedule(booking.pk, Move(later), actor="staff:desk", now=booking.slot_start - 4 * MINUTE)
    assert jitsi.room_of(before) != Room.objects.get(booking=booking).name
    assert "not open yet" in shown(door(booking))
    clock.move_to(later)
    assert jitsi.room_of(enter(booking)) != jitsi.room_of(before)
    assert not jitsi.admits(before, at=later)
    shown(look("/go/room/", hosts), 410)  # of a time that has moved; their new mail has another
    moved = scenarios.token_of(booking, Notice.PSYCHOLOGIST_SESSION_MOVED, Purpose.ROOM)
    assert jitsi.room_of(press(look("/go/room/", moved))["Location"]) == jitsi.room_of(enter(booking))


def test_the_colleague_who_had_the_session_does_not_get_in(now: datetime, clock: Traveller) -> None:
    booking = scenarios.confirmed(now=now)
    hosts = scenarios.token_of(booking, *OF_PSYCHOLOGIST)
    other = scenarios.psychologist("Dr. New", email="new@example.org")
    move = Move(booking.slot_start, psychologist_id=other.pk)
    rescheduling.reschedule(booking.pk, move, actor="staff:desk", now=now + MINUTE)
    clock.move_to(booking.slot_start)
    assert "Location" not in browser().post("/go/room/", {"token": hosts})
    assert enter(booking, as_host=True)  # the newest mail of this kind is the colleague's


def test_a_cancelled_session_has_no_room_and_undoing_that_makes_another(now: datetime, clock: Traveller) -> None:
    booking = scenarios.confirmed(now=now)
    name = Room.objects.get(booking=booking).name
    undoable = {"actor": "staff:desk", "is_undoable": True, "now": now + MINUTE}
    refund = {"refund": RefundChoice.FULL, "refund_reason": ""}
    cancellation.cancel_by_staff(booking.pk, note_to_visitor="", **refund, **undoable)
    assert not Room.objects.exists()
    clock.move_to(booking.slot_start)
    assert "no confirmed online appointment" in shown(door(booking), 409)
    shown(door(booking, as_host=True), 410)
    undo.undo_decision(booking.pk, actor="staff:desk", now=now + MINUTE + timedelta(seconds=5))
    assert Room.objects.get(booking=booking).name != name
    assert jitsi.room_of(enter(booking)) == jitsi.room_of(enter(booking, as_host=True))


def test_a_held_session_and_one_in_person_have_none(now: datetime, clock: Traveller) -> None:
    booking = scenarios.completed(now=now)
    clock.move_to(booking.closed_at)
    assert "is over" in shown(door(booking), 410)
    in_person = scenarios.pending(scenarios.RAVI, now=now, mode="OFFLINE")
    assert "no confirmed online appointment" in shown(door(in_person), 409)
    assert not Room.objects.exists()


def test_a_session_confirmed_at_a_shared_link_gets_its_room_when_entered(now: datetime, clock: Traveller) -> None:
    booking = scenarios.confirmed(now=now)
    Room.objects.all().delete()
    clock.move_to(booking.slot_start)
    assert jitsi.room_of(enter(booking)) == jitsi.room_of(enter(booking)) == Room.objects.get().name


def test_back_at_shared_links_the_page_leads_there(now: datetime, clock: Traveller, settings: LazySettings) -> None:
    booking = scenarios.confirmed(now=now)
    settings.ROOMS = "static"
    clock.move_to(booking.slot_start)
    assert enter(booking) == enter(booking, as_host=True) == booking.meeting_link


def test_looking_lets_nobody_in(now: datetime, clock: Traveller) -> None:
    booking = scenarios.confirmed(now=now)
    clock.move_to(booking.slot_start)
    page = door(booking)
    assert jitsi.HOST not in shown(page)
    assert Room.objects.get().name not in shown(page)


def test_name_and_secret_stand_in_no_log_ledger_or_answer(
    now: datetime, clock: Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    booking = scenarios.confirmed(now=now)
    name = Room.objects.get(booking=booking).name
    token = scenarios.token_of(booking)
    clock.move_to(booking.slot_start)
    address = enter(booking)
    shows = api.post(api.VERIFY, {"token": token}).content.decode()
    asked = api.post(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}).content.decode()
    written = " ".join([caplog.text, shows, asked, *map(str, LedgerEntry.objects.values())])
    for secret in (name, jitsi.SECRET, address.partition("jwt=")[2], "meet.example.org"):
        assert secret not in written


def test_what_time_does_to_many_goes_in_one_batch_with_rooms_too(now: datetime) -> None:
    for number in range(2):
        scenarios.submitted(f"visitor{number}@example.org", now=now)
    assert len(timers.lapse_draft.batch(now=now + timedelta(days=3))) == 2
    assert set(Booking.objects.values_list("state", flat=True)) == {"CANCELLED"}
