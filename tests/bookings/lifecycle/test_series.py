"""A series is told as one: a mail to each side, with the sessions that are still held when it leaves."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMessage
from icalendar import Calendar

from backend.bookings import links
from backend.bookings.lifecycle import attempts, cancellation, desk_money, follow_ups, front_desk, payments, series
from backend.bookings.lifecycle.follow_ups import Rhythm, Series
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.lifecycle.series import SeriesCancellation, SeriesMove
from backend.bookings.machine import State
from backend.bookings.models import Booking, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox import bundles
from backend.outbox.models import Message, MessageState, Queue
from backend.people.models import Corporate
from tests.support import holder, scenarios
from tests.support.admin_site import owner
from tests.support.mail_provider import PROVIDER, EmailBackend
from tests.support.mails import html_of
from workers import mail

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock", "sandbox_payments")]
STAFF: dict[str, Any] = {"actor": "staff:desk"}
DAY, WEEK = timedelta(days=1), timedelta(days=7)


class Provider:
    """Keeps what it was handed; hangs up after the text of the first, if it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.hangs_up = False

    def send_messages(self, mails: list[EmailMessage]) -> int:
        self.taken += mails
        if self.hangs_up:
            raise smtplib.SMTPServerDisconnected("gone")
        return len(mails)

    def about(self, booking: Booking) -> list[str]:
        """The subjects of the visitor's mails, in the order in which they left."""
        return [one.subject for one in self.taken if one.to == [booking.email]]


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    settings.EMAIL_BACKEND = PROVIDER
    made = Provider()
    monkeypatch.setattr(EmailBackend, "send_messages", lambda _self, mails: made.send_messages(mails))
    yield made
    mail._outlet.close()


@pytest.fixture
def last(now: datetime) -> Booking:
    """A session of somebody who is treated; what was owed of it has left."""
    booking = scenarios.confirmed(now=now)
    Message.objects.filter(state=MessageState.WAITING).update(state=MessageState.DONE)
    return booking


def book(last: Booking, number: int, *, now: datetime, **changes: Any) -> list[Booking]:
    wanted = Series(Rhythm(number, WEEK), **changes)
    places = follow_ups.book_series(last.pk, wanted, now=now, **STAFF)
    return [place.booking for place in places if place.booking]


def due(now: datetime) -> list[Message]:
    return list(
        Message.objects.filter(queue=Queue.MAIL, state=MessageState.WAITING, not_before__lte=now).order_by("pk")
    )


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        mail.drain()


def the(notice: Notice) -> Message:
    return Message.objects.get(kind=notice)


def referred_to(mail: EmailMessage, bookings: list[Booking]) -> list[int]:
    """Which of them it speaks of, in both of its bodies."""
    bodies = mail.subject + mail.body, mail.subject + html_of(mail)
    told, shown = ([number for number, one in enumerate(bookings) if str(one) in text] for text in bodies)
    assert told == shown
    return told


def test_eight_sessions_are_one_mail_to_each_side(last: Booking, now: datetime) -> None:
    book(last, 8, now=now, amount_paise=0)
    owed = Counter((row.recipient, row.kind) for row in due(now))
    assert owed == {
        (last.email, Notice.SERIES_BOOKED): 1,
        (last.psychologist.email, Notice.PSYCHOLOGIST_SERIES_CONFIRMED): 1,
    }


def test_a_single_session_keeps_its_own_mail(last: Booking, now: datetime) -> None:
    book(last, 1, now=now)
    assert [row.kind for row in due(now)] == [Notice.BOOKING_APPROVED]


def test_each_session_is_told_with_its_time_its_payment_and_its_links(
    last: Booking, now: datetime, provider: Provider
) -> None:
    bookings = book(last, 3, now=now)
    drain(now)
    (mail,) = provider.taken
    assert (mail.to, referred_to(mail, bookings)) == ([last.email], [0, 1, 2])
    assert str(last) not in mail.subject
    assert "psychologist" not in mail.subject.lower()
    for booking in bookings:
        assert f"/payment?id={booking.acknowledgement_id}" in mail.body
    tokens = {word.partition("token=")[2] for word in mail.body.split() if "token=" in word}
    assert len(tokens) == 2 * 3  # to its page and to another time, of each; nothing can be cancelled late yet


def test_what_is_confirmed_at_once_comes_as_calendar_entries(last: Booking, now: datetime, provider: Provider) -> None:
    """A sponsor has sessions left for one month; the visitor is asked to pay for the rest, in the same mail."""
    Booking.objects.filter(pk=last.pk).update(corporate=Corporate.objects.create(name="Acme", sessions_a_month=2))
    bookings = book(last, 3, now=now, pay_if_not_sponsored=True)
    states = [booking.state for booking in bookings]
    drain(now)
    mail = next(one for one in provider.taken if one.to == [last.email])
    files = [part for part in mail.attachments if part[0].endswith(".ics")]
    entries = [Calendar.from_ical(file[1]).walk("VEVENT")[0]["UID"] for file in files]
    assert len(set(entries)) == states.count(State.CONFIRMED) > 1
    assert referred_to(mail, bookings) == [0, 1, 2]


def test_only_what_is_still_held_is_told(last: Booking, now: datetime, provider: Provider) -> None:
    """The first of them, on which the row hangs, is called off before the mail leaves."""
    bookings = book(last, 3, now=now)
    scenarios.call_off(bookings[0], now)
    drain(now)
    drain(now + timedelta(seconds=2))
    assert len(provider.taken) == 2
    assert referred_to(provider.taken[0], bookings) == [1, 2]
    assert the(Notice.SERIES_BOOKED).state == MessageState.DONE


def test_nothing_leaves_of_a_series_that_is_called_off_whole(last: Booking, now: datetime, provider: Provider) -> None:
    for booking in book(last, 2, now=now):
        scenarios.call_off(booking, now)
    drain(now)
    assert the(Notice.SERIES_BOOKED).state == MessageState.OBSOLETE


def test_a_repetition_is_the_same_bytes(last: Booking, now: datetime, provider: Provider) -> None:
    book(last, 3, now=now)
    provider.hangs_up = True
    drain(now)
    provider.hangs_up = False
    drain(now + timedelta(minutes=1))
    first, second = provider.taken
    assert first.message().as_bytes() == second.message().as_bytes()


def test_what_may_have_left_is_told_anew_without_what_was_called_off_since(
    last: Booking, now: datetime, provider: Provider
) -> None:
    bookings = book(last, 3, now=now)
    provider.hangs_up = True
    drain(now)
    provider.hangs_up = False
    scenarios.call_off(bookings[0], now)
    for second in range(6):
        drain(now + timedelta(minutes=1, seconds=2 * second))
    told = [referred_to(mail, bookings) for mail in provider.taken]
    assert sorted(told[1:]) == [[0], [1, 2]]
    anew = next(mail for mail in provider.taken if referred_to(mail, bookings) == [1, 2])
    assert "takes the place of an earlier one" in anew.body


def test_what_comes_after_waits_for_the_series(last: Booking, now: datetime, provider: Provider) -> None:
    """The first attempt fails; the second session is paid meanwhile, and its confirmation must not come first."""
    bookings = book(last, 2, now=now)
    provider.hangs_up = True
    drain(now)
    provider.hangs_up = False
    desk_money.record_desk_payment(bookings[1].pk, now=now, **STAFF)
    drain(now + timedelta(seconds=1))
    assert len(provider.about(last)) == 1
    drain(now + timedelta(minutes=1))
    drain(now + timedelta(minutes=1, seconds=2))
    assert [subject.startswith("2 appointments") for subject in provider.about(last)] == [True, True, False]


def test_the_series_waits_for_what_is_older_of_any_of_its_sessions(last: Booking, now: datetime) -> None:
    book(last, 2, now=now)
    row = the(Notice.SERIES_BOOKED)
    assert not holder.waits_for_older(row, now=now)
    second = bundles.booking_ids(row)[1]
    Message.objects.filter(booking_id=second, kind=Notice.PAYMENT_STILL_DUE).update(not_before=now)
    assert holder.waits_for_older(row, now=now)


def test_more_time_to_pay_is_told_of_that_session_alone(last: Booking, now: datetime, provider: Provider) -> None:
    bookings = book(last, 3, now=now)
    drain(now)
    front_desk.extend_deadline(bookings[1].pk, State.APPROVED, DAY, now=now, **STAFF)
    drain(now + timedelta(seconds=2))
    assert len(provider.taken) == 2
    assert referred_to(provider.taken[1], bookings) == [1]


def test_a_session_that_was_moved_since_is_told_by_its_own_mail(
    last: Booking, now: datetime, provider: Provider
) -> None:
    bookings = book(last, 2, now=now)
    reschedule(bookings[0].pk, Move(bookings[0].slot_start + DAY), now=now, **STAFF)
    drain(now)
    drain(now + timedelta(seconds=2))
    assert [referred_to(mail, bookings) for mail in provider.taken] == [[1], [0]]


def test_its_links_are_its_sessions_own(last: Booking, now: datetime, provider: Provider) -> None:
    bookings = book(last, 2, now=now)
    drain(now)
    for booking, line in zip(bookings, provider.taken[0].body.split("See it:")[1:], strict=True):
        token = line.split("token=")[1].split()[0]
        assert links.find(token, "booking").booking == booking


def test_a_caller_without_an_address_is_told_once_by_telephone(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    Booking.objects.filter(pk=last.pk).update(email="")
    Message.objects.filter(state=MessageState.WAITING).update(state=MessageState.DONE)
    bookings = book(last, 3, now=now, amount_paise=0)
    row = the(Notice.SERIES_BOOKED)
    assert row.recipient == ""
    desk = owner()
    page = desk.get(f"/admin/bookings/booking/{bookings[0].pk}/tell/").content.decode()
    assert all(str(booking) in page for booking in bookings)
    desk.post(f"/admin/bookings/booking/{bookings[0].pk}/tell/", {"up_to": row.pk})
    assert the(Notice.SERIES_BOOKED).state == MessageState.DONE


def test_a_minors_series_asks_for_the_guardian_once(last: Booking, now: datetime) -> None:
    Booking.objects.filter(pk=last.pk).update(age=15, guardian_consent_at=None)
    assert book(last, 2, now=now) == []
    assert len(book(last, 2, now=now, guardian_consent=scenarios.GUARDIAN)) == 2
    assert [row.kind for row in due(now)] == [Notice.SERIES_BOOKED]


def test_payment_of_one_confirms_that_one(last: Booking, now: datetime) -> None:
    bookings = book(last, 2, now=now)
    payment = attempts.start_payment(bookings[0].acknowledgement_id, now=now)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    assert [scenarios.again(one).state for one in bookings] == [State.CONFIRMED, State.APPROVED]
    assert Notice.BOOKING_CONFIRMED in scenarios.notices_about(bookings[0])


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
