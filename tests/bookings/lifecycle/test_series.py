"""A series is told as one: a mail to each side, with the sessions that are still held when it leaves."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from icalendar import Calendar

from backend.bookings import links
from backend.bookings.lifecycle import attempts, desk_money, front_desk, payments
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.outbox import bundles
from backend.outbox.models import Message, MessageState
from backend.people.models import Corporate
from tests.support import holder, scenarios
from tests.support.admin_site import owner
from tests.support.series_mails import DAY, STAFF, Provider, book, drain, due, referred_to

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock", "sandbox_payments")]


def the(notice: Notice) -> Message:
    return Message.objects.get(kind=notice)


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
