"""The first notice is delayed, the booking moves on, the second is owed: what becomes of the first."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings import links, policy
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import attempts, cancellation, desk_money, payments, timers, visitor
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.outbox.models import Message
from tests.support import scenarios
from tests.support.mails import frozen
from tests.support.overtaking import GATEWAY, STAFF, cancelled, is_true, mail, moved, timed_out

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]


def token(message: Message, purpose: Purpose) -> str:
    return links.token_of(message.uuid, purpose)


LATE = (Notice.ANSWER_LATE, Notice.STAFF_BOOKING_WAITING, Notice.MANAGER_BOOKING_OVERDUE)


@pytest.mark.parametrize("notice", LATE)
def test_a_warning_about_a_waiting_request_ends_with_the_wait(notice: Notice, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    message = mail(booking, notice)
    assert is_true(message, message.not_before)
    staff.reject(booking.pk, note_to_visitor="", actor=STAFF, now=message.not_before)
    assert not is_true(message, message.not_before)


def test_nobody_is_told_that_we_are_late_once_our_time_is_over(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    assert booking.due_at is not None
    assert not is_true(mail(booking, Notice.ANSWER_LATE), booking.due_at)
    timers.close_unanswered(booking.pk, now=booking.due_at)
    assert is_true(mail(booking, Notice.BOOKING_UNANSWERED), booking.due_at)


def test_the_apology_is_not_sent_to_whom_asked_again(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    assert booking.due_at is not None
    timers.close_unanswered(booking.pk, now=booking.due_at)
    message = mail(booking, Notice.BOOKING_UNANSWERED)
    visitor.request_again(token(message, Purpose.AGAIN), now=booking.due_at)
    assert not is_true(message, booking.due_at)


def test_the_apology_is_not_sent_with_a_dead_link(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    assert booking.due_at is not None
    timers.close_unanswered(booking.pk, now=booking.due_at)
    ends_at = booking.due_at + policy.AGAIN_LINK_LIFETIME
    message = mail(booking, Notice.BOOKING_UNANSWERED)
    assert is_true(message, ends_at - timedelta(seconds=1))
    assert not is_true(message, ends_at)


def declined(*, now: datetime) -> tuple[Booking, Message]:
    booking, payment = scenarios.paying(now=now)
    payments.record_report(scenarios.declined(payment), actor=GATEWAY, now=now)
    return scenarios.again(booking), mail(booking, Notice.PAYMENT_ATTEMPT_FAILED)


def test_a_failed_attempt_is_not_told_beside_a_new_one(now: datetime) -> None:
    booking, message = declined(now=now)
    assert is_true(message, now)
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    assert not is_true(message, now)
    payments.record_report(scenarios.declined(payment), actor=GATEWAY, now=now)
    assert not is_true(message, now)
    assert is_true(mail(booking, Notice.PAYMENT_ATTEMPT_FAILED), now)


def test_a_failed_attempt_is_not_told_once_it_is_paid_or_too_late(now: datetime) -> None:
    booking, message = declined(now=now)
    assert booking.pay_by is not None
    assert not is_true(message, booking.pay_by)
    desk_money.record_desk_payment(booking.pk, actor=STAFF, now=now)
    assert not is_true(message, now)


def test_late_money_overtakes_the_news_that_the_time_was_up(now: datetime) -> None:
    booking, payment, later = timed_out(now=now)
    message = mail(booking, Notice.PAYMENT_TIMED_OUT)
    assert is_true(message, later)
    payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=later)
    assert not is_true(message, later)
    assert is_true(mail(booking, Notice.LATE_PAYMENT_BOOKED), later)


def test_an_approval_that_was_moved_is_told_by_the_move(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    message, reminder = mail(booking, Notice.BOOKING_APPROVED), mail(booking, Notice.PAYMENT_STILL_DUE)
    moved(booking, now=now)
    assert not is_true(message, now)
    assert is_true(reminder, now)  # there is no other, and it names the new time
    assert is_true(mail(booking, Notice.BOOKING_MOVED), now)


OF_A_SESSION = (Notice.BOOKING_CONFIRMED, Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT)


@pytest.mark.parametrize("notice", [*OF_A_SESSION, Notice.PSYCHOLOGIST_SESSION_CONFIRMED])
def test_what_told_of_the_old_time_is_overtaken_by_the_move(notice: Notice, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=1))
    message = mail(booking, notice)
    assert is_true(message, now)
    moved(booking, now=now)
    assert not is_true(message, now)


@pytest.mark.parametrize("notice", [Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT])
def test_the_reminders_of_a_moved_session_are_its_new_ones(notice: Notice, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=1))
    old = mail(booking, notice)
    moved(booking, now=now)
    new = mail(booking, notice)
    assert new.not_before == old.not_before + timedelta(hours=2)
    assert is_true(new, new.not_before)


@pytest.mark.parametrize("notice", [Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT])
def test_a_change_of_the_policy_drops_no_reminder_that_is_owed(notice: Notice, now: datetime, monkeypatch) -> None:
    booking = scenarios.confirmed(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=1))
    monkeypatch.setattr(policy, "REMIND_FIRST", timedelta(hours=48))
    monkeypatch.setattr(policy, "REMIND_LAST", timedelta(hours=2))
    assert is_true(mail(booking, notice), now)


def test_of_two_moves_the_later_is_told(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    moved(booking, now=now)
    first = [mail(booking, Notice.BOOKING_MOVED), mail(booking, Notice.PSYCHOLOGIST_SESSION_MOVED)]
    assert [is_true(message, now) for message in first] == [True, True]
    moved(scenarios.again(booking), now=now)
    assert [is_true(message, now) for message in first] == [False, False]
    assert is_true(mail(booking, Notice.BOOKING_MOVED), now)
    assert is_true(mail(booking, Notice.PSYCHOLOGIST_SESSION_MOVED), now)


def test_a_move_that_was_paid_for_meanwhile_is_still_told(now: datetime) -> None:
    booking = moved(scenarios.approved(now=now), now=now)
    message = frozen(mail(booking, Notice.BOOKING_MOVED), now=now)
    desk_money.record_desk_payment(booking.pk, actor=STAFF, now=now)
    assert is_true(message, now)
    assert is_true(mail(booking, Notice.BOOKING_CONFIRMED), now)


@pytest.mark.parametrize(
    "notice",
    [*OF_A_SESSION, Notice.BOOKING_MOVED, Notice.PSYCHOLOGIST_SESSION_MOVED, Notice.PSYCHOLOGIST_SESSION_CONFIRMED],
)
def test_nothing_speaks_of_a_session_that_was_called_off(notice: Notice, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=1))
    if notice in (Notice.BOOKING_MOVED, Notice.PSYCHOLOGIST_SESSION_MOVED):
        moved(booking, now=now)
    message = mail(booking, notice)
    assert is_true(message, now)
    cancelled(booking, now=now)
    assert not is_true(message, now)
    assert is_true(mail(booking, Notice.BOOKING_CANCELLED), now)
    assert is_true(mail(booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED), now)


# -- calling off ------------------------------------------------------------------------------------------------------

REQUEST = (Notice.CANCELLATION_REQUESTED, Notice.STAFF_CANCELLATION_REQUESTED)


def asked_to_cancel(booking: Booking, *, now: datetime) -> list[Message]:
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    return [mail(booking, notice) for notice in REQUEST]


def test_a_cancellation_that_was_proved_is_no_longer_one_step_away(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    asked = asked_to_cancel(booking, now=now)
    assert [is_true(message, now) for message in asked] == [True, True]
    cancellation.confirm_cancellation(token(asked[0], Purpose.CANCEL), now=now)
    assert [is_true(message, now) for message in asked] == [False, False]
    assert is_true(mail(booking, Notice.BOOKING_CANCELLED), now)


def test_a_cancellation_that_lapsed_is_no_longer_one_step_away(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    asked = asked_to_cancel(booking, now=now)
    later = now + policy.CANCEL_LINK_LIFETIME
    assert is_true(asked[0], later - timedelta(seconds=1))
    assert not is_true(asked[0], later)
    cancellation.lapse_cancellation(booking.pk, now=later)
    assert not is_true(asked[1], later)
    assert is_true(mail(booking, Notice.CANCELLATION_LAPSED), later)


def test_of_two_requests_to_cancel_the_later_is_told(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    first = asked_to_cancel(booking, now=now)
    second = asked_to_cancel(booking, now=now + timedelta(minutes=1))
    assert [is_true(message, now) for message in first] == [False, False]
    assert [is_true(message, now) for message in second] == [True, True]


def test_a_request_over_the_limit_overtakes_no_mail_that_leaves(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    for minute in range(policy.CANCEL_LINKS_PER_HOUR):
        last = asked_to_cancel(booking, now=now + timedelta(minutes=minute))[0]
    asked_to_cancel(booking, now=now + timedelta(minutes=10))
    assert is_true(last, now + timedelta(minutes=10))


def test_a_booking_does_not_stand_once_it_is_asked_again_or_called_off(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    asked_to_cancel(booking, now=now)
    later = now + policy.CANCEL_LINK_LIFETIME
    cancellation.lapse_cancellation(booking.pk, now=later)
    message = mail(booking, Notice.CANCELLATION_LAPSED)
    asked = asked_to_cancel(booking, now=later)
    assert not is_true(message, later)
    assert is_true(asked[0], later)
    cancelled(booking, now=later)
    assert not is_true(message, later)


def test_an_approval_beside_an_open_request_to_cancel_leaves_both_true(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    asked = asked_to_cancel(booking, now=now)
    approval = staff.Approval(
        scenarios.psychologist().pk, scenarios.slot_tomorrow(now), despite_cancellation_request=True
    )
    staff.approve(booking.pk, approval, actor=STAFF, now=now)
    assert is_true(asked[0], now)
    assert is_true(mail(booking, Notice.BOOKING_APPROVED), now)
