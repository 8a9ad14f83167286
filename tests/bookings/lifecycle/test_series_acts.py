"""A series is moved, and cancelled, as one."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.bookings.lifecycle import cancellation, desk_money, follow_ups, series
from backend.bookings.lifecycle.follow_ups import Series
from backend.bookings.lifecycle.series import SeriesCancellation, SeriesMove
from backend.bookings.machine import State
from backend.bookings.models import Booking, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message, MessageState
from tests.support import scenarios
from tests.support.series_mails import DAY, STAFF, WEEK, Provider, book, drain, due, referred_to

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock", "sandbox_payments")]


# -- moved as one -----------------------------------------------------------------------------------------------------


def settle(now: datetime) -> None:
    """What was owed until now has left."""
    Message.objects.filter(state=MessageState.WAITING, not_before__lte=now).update(state=MessageState.DONE)


def starts(bookings: list[Booking]) -> list[datetime]:
    return [scenarios.again(booking).slot_start for booking in bookings]


@pytest.mark.parametrize("shift", [WEEK, -timedelta(minutes=30), DAY + timedelta(hours=2)])
def test_a_move_of_all_makes_room_for_itself(shift: timedelta, last: Booking, now: datetime) -> None:
    """Also by one week, when each goes to where the next one was."""
    bookings = book(last, 4, now=now, amount_paise=0)
    before = starts(bookings)
    settle(now)
    steps = series.move_series(bookings[2].pk, SeriesMove(before[0] + shift), now=now, **STAFF)
    assert [step.refused for step in steps] == [None] * 4
    assert starts(bookings) == [start + shift for start in before]
    held = dict(SlotClaim.objects.filter(booking__in=bookings).values_list("booking", "blocked_from"))
    assert [held[booking.pk] for booking in bookings] == starts(bookings)
    owed = Counter((row.recipient, row.kind) for row in due(now))
    assert owed == {
        (last.email, Notice.SERIES_MOVED): 1,
        (last.psychologist.email, Notice.PSYCHOLOGIST_SERIES_MOVED): 1,
    }


def test_what_does_not_fit_is_named_alone_and_nothing_moves(last: Booking, now: datetime) -> None:
    bookings = book(last, 4, now=now)
    before = starts(bookings)
    scenarios.approved(scenarios.RAVI, now=now, who=last.psychologist, at=before[3] + WEEK)
    rows = Message.objects.count(), SlotClaim.objects.count()
    steps = series.move_series(bookings[0].pk, SeriesMove(before[0] + WEEK), now=now, **STAFF)
    assert [step.refused and step.refused.code for step in steps] == [None, None, None, Code.SLOT_TAKEN]
    assert starts(bookings) == before
    assert (Message.objects.count(), SlotClaim.objects.count()) == rows


def test_what_a_move_would_do_is_shown_and_undone(last: Booking, now: datetime) -> None:
    bookings = book(last, 2, now=now)
    before = starts(bookings)
    steps = series.preview_move(bookings[0].pk, SeriesMove(before[0] + DAY), now=now, **STAFF)
    assert [step.change.after.slot_start for step in steps if step.change] == [start + DAY for start in before]
    assert [[row.kind for row in step.change.messages] for step in steps if step.change] == [[Notice.SERIES_MOVED]] * 2
    assert starts(bookings) == before


def test_a_move_to_where_they_are_is_refused(last: Booking, now: datetime) -> None:
    bookings = book(last, 2, now=now)
    with pytest.raises(Refused) as refused:
        series.move_series(bookings[0].pk, SeriesMove(bookings[0].slot_start), now=now, **STAFF)
    assert refused.value.code is Code.SLOT_INVALID


def test_the_hour_stays_when_the_clocks_change(last: Booking, now: datetime, settings: Any) -> None:
    settings.PRACTICE_TIME_ZONE = "Europe/London"
    first = datetime(2027, 3, 17, 9, tzinfo=now.tzinfo)  # the clocks change on the 28th
    places = follow_ups.book_series(last.pk, Series((first, first + WEEK)), now=now, **STAFF)
    bookings = [place.booking for place in places if place.booking]
    series.move_series(bookings[0].pk, SeriesMove(first + WEEK), now=now, **STAFF)
    assert starts(bookings) == [first + WEEK, first + 2 * WEEK - timedelta(hours=1)]


def test_only_what_is_ahead_and_of_one_act_belongs_together(last: Booking, now: datetime) -> None:
    others = book(last, 1, now=now, psychologist_id=scenarios.psychologist("Dr. Other").pk)
    later = now + timedelta(seconds=1)
    bookings = book(last, 3, now=later)
    scenarios.call_off(bookings[1], later)
    steps = series.move_series(bookings[0].pk, SeriesMove(bookings[0].slot_start + DAY), now=later, **STAFF)
    assert [step.was for step in steps] == [bookings[0], bookings[2]]
    assert starts(others) == [others[0].slot_start]
    with pytest.raises(Refused) as refused:
        series.move_series(bookings[0].pk, SeriesMove(now + WEEK), now=now + 99 * DAY, **STAFF)
    assert refused.value.code is Code.STATE_REFUSES


# -- cancelled as one -------------------------------------------------------------------------------------------------


def test_all_are_cancelled_with_one_mail_to_each_side(last: Booking, now: datetime, provider: Provider) -> None:
    bookings = book(last, 3, now=now)
    desk_money.record_desk_payment(bookings[0].pk, now=now, **STAFF)
    desk_money.record_desk_payment(bookings[1].pk, now=now, **STAFF)
    settle(now)
    series.cancel_series(bookings[0].pk, SeriesCancellation(note_to_visitor="Dr. Iyer moves."), now=now, **STAFF)
    assert {scenarios.again(booking).state for booking in bookings} == {State.CANCELLED}
    owed = Counter((row.recipient, row.kind) for row in due(now) if row.kind.endswith("cancelled"))
    assert owed == {
        (last.email, Notice.SERIES_CANCELLED): 1,
        (last.psychologist.email, Notice.PSYCHOLOGIST_SERIES_CANCELLED): 1,
    }
    drain(now)
    (mail,) = [one for one in provider.taken if "Dr. Iyer moves." in one.body]
    assert referred_to(mail, bookings) == [0, 1, 2]
    assert mail.body.count("₹1,500.00 comes back to you.") == 2
    assert Booking.objects.filter(undo_until__isnull=False).count() == 0


def test_one_that_refuses_keeps_them_all(last: Booking, now: datetime) -> None:
    bookings = book(last, 2, now=now)
    desk_money.record_desk_payment(bookings[1].pk, now=now, **STAFF)
    terms = SeriesCancellation(refund=cancellation.RefundChoice.NONE)
    with pytest.raises(Refused) as refused:
        series.cancel_series(bookings[0].pk, terms, now=now, **STAFF)
    assert refused.value.code is Code.REFUND_REASON_REQUIRED
    assert [scenarios.again(one).state for one in bookings] == [State.APPROVED, State.CONFIRMED]


def test_what_a_cancellation_would_do_is_shown_and_undone(last: Booking, now: datetime) -> None:
    bookings = book(last, 2, now=now)
    steps = series.preview_cancellation(bookings[1].pk, SeriesCancellation(), now=now, **STAFF)
    assert [step.change.after.state for step in steps if step.change] == [State.CANCELLED] * 2
    assert {scenarios.again(booking).state for booking in bookings} == {State.APPROVED}
