"""A provider that is asked over a network: whatever is made is found again, and none stays behind a session."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from time_machine import Traveller

from backend.bookings.lifecycle import cancellation, rescheduling
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move
from backend.bookings.lifecycle.room_work import RoomWork
from backend.bookings.models import Booking
from backend.core.errors import Transient
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.rooms.models import Room
from tests.support import scenarios
from tests.support.fake_zoom import AS_ASKED, HANG_UP, FakeZoom
from tests.support.link_pages import browser, look, press, shown
from workers import calls, outcomes

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MINUTE = timedelta(minutes=1)


def perform(kind: RoomWork) -> outcomes.Answer:
    """What the worker would do with the newest of this kind; settled, if it is done."""
    message = Message.objects.filter(kind=kind, state=MessageState.WAITING).latest("pk")
    answer = calls.perform(message)
    if not isinstance(answer, Snooze):
        Message.objects.filter(pk=message.pk).update(state=answer)
    return answer


def cancel(booking: Booking, *, now: datetime) -> None:
    refund = {"refund": RefundChoice.FULL, "refund_reason": ""}
    cancellation.cancel_by_staff(booking.pk, note_to_visitor="", **refund, actor="staff:desk", now=now)


def test_a_session_is_entered_once_its_room_is_made(zoom_rooms: FakeZoom, now: datetime, clock: Traveller) -> None:
    booking = scenarios.confirmed(now=now)
    clock.move_to(booking.slot_start)
    token = scenarios.token_of(booking)
    waiting = browser().post("/go/room/", {"token": token})
    assert "Location" not in waiting
    assert "not ready yet" in shown(waiting, 409)
    assert perform(RoomWork.MAKE) == MessageState.DONE
    (meeting,) = zoom_rooms.meetings.values()
    assert press(look("/go/room/", token))["Location"] == meeting["join_url"]


def test_a_move_takes_the_first_away_and_a_cancellation_the_second(zoom_rooms: FakeZoom, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    perform(RoomWork.MAKE)
    move = Move(booking.slot_start + timedelta(hours=3))
    rescheduling.reschedule(booking.pk, move, actor="staff:desk", now=now + MINUTE)
    perform(RoomWork.MAKE)
    first, second = zoom_rooms.meetings
    assert perform(RoomWork.UNMAKE) == MessageState.DONE
    assert list(zoom_rooms.meetings) == [second]
    cancel(booking, now=now + 2 * MINUTE)
    assert perform(RoomWork.UNMAKE) == MessageState.DONE
    assert not zoom_rooms.meetings
    assert zoom_rooms.ended == [first, second]
    assert not Room.objects.exists()


def test_what_an_attempt_made_unheard_is_taken_away_by_its_name(zoom_rooms: FakeZoom, now: datetime) -> None:
    """The worker died after Zoom had made it, and the session was called off before the next attempt."""
    booking = scenarios.confirmed(now=now)
    zoom_rooms.trouble.extend([AS_ASKED, AS_ASKED, HANG_UP])
    with pytest.raises(Transient):
        perform(RoomWork.MAKE)
    assert len(zoom_rooms.meetings) == 1
    cancel(booking, now=now + MINUTE)
    assert isinstance(perform(RoomWork.UNMAKE), Snooze)  # the other is still owed, and may be at work
    assert perform(RoomWork.MAKE) == MessageState.OBSOLETE
    assert perform(RoomWork.UNMAKE) == MessageState.DONE
    assert not zoom_rooms.meetings


def test_work_that_comes_after_the_room_is_gone_asks_nothing(zoom_rooms: FakeZoom, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    perform(RoomWork.MAKE)
    cancel(booking, now=now + MINUTE)
    message = Message.objects.get(kind=RoomWork.UNMAKE)
    assert calls.perform(message) == MessageState.DONE
    asked = len(zoom_rooms.asked)
    assert calls.perform(message) == MessageState.OBSOLETE
    assert len(zoom_rooms.asked) == asked
