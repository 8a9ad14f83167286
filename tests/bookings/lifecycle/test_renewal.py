"""Who was told what has changed since is told anew, once; what has not left yet says it by itself; reminders move."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from backend.bookings import links, policy
from backend.bookings.lifecycle import cancellation, front_desk, refunds, renewal
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, Link, Purpose
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.notifications import delivery
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Refund
from tests.support import holder, scenarios
from tests.support.mails import frozen

pytestmark = pytest.mark.django_db
STAFF = {"actor": "staff:desk"}
HOUR = timedelta(hours=1)
MAKE = {State.DRAFT: scenarios.submitted, State.PENDING: scenarios.pending, State.APPROVED: scenarios.approved}
TOLD_BY = {
    State.DRAFT: Notice.DRAFT_SUBMITTED,
    State.PENDING: Notice.BOOKING_RECEIVED,
    State.APPROVED: Notice.BOOKING_APPROVED,
}
every_state = pytest.mark.parametrize("state", MAKE)


@pytest.fixture(autouse=True)
def _sandbox(settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"


def mails(booking: Booking, notice: Notice) -> list[Message]:
    return list(Message.objects.filter(booking_id=booking.pk, kind=notice).order_by("pk"))


def sent(message: Message, now: datetime) -> Message:
    """As the worker leaves it."""
    frozen(message, now=now)
    Message.objects.filter(pk=message.pk).update(state=MessageState.DONE, settled_at=now)
    return Message.objects.get(pk=message.pk)


def extend(booking: Booking, now: datetime, span: timedelta = 6 * HOUR) -> Booking:
    assert front_desk.extend_deadline(booking.pk, State(booking.state), span, now=now, **STAFF)
    return scenarios.again(booking)


@every_state
def test_who_was_told_of_a_deadline_is_told_of_the_new_one(state: State, now: datetime) -> None:
    booking = MAKE[state](now=now)
    told = sent(mails(booking, TOLD_BY[state])[0], now)
    booking = extend(booking, now)
    [_, anew] = mails(booking, TOLD_BY[state])
    facts = delivery.prepare(anew, now=now)
    assert facts is not None
    deadline = booking.pay_by if state == State.APPROVED else booking.due_at
    assert formatting.day_and_time(deadline) in facts.values()
    assert facts["is_anew"] is True
    assert (anew.state, anew.recipient, anew.not_before) == (MessageState.WAITING, told.recipient, now)
    assert set(links.tokens_of(anew.uuid)) == set(links.tokens_of(told.uuid))


@every_state
def test_who_was_told_nothing_yet_is_told_once(state: State, now: datetime) -> None:
    booking = extend(MAKE[state](now=now), now)
    assert len(mails(booking, TOLD_BY[state])) == 1


@every_state
def test_a_new_mail_whose_turn_came_after_the_deadline_is_owed_again_by_the_next_extension(
    state: State, now: datetime
) -> None:
    booking = MAKE[state](now=now)
    sent(mails(booking, TOLD_BY[state])[0], now)
    Message.objects.filter(not_before__gt=now).delete()  # a reminder that is due would say it
    booking = extend(booking, now)
    later = booking.due_at + HOUR
    Message.objects.filter(pk=mails(booking, TOLD_BY[state])[1].pk).update(
        state=MessageState.OBSOLETE, settled_at=later, attempts=1
    )
    booking = extend(booking, later)
    [_, anew] = mails(booking, TOLD_BY[state])
    assert (anew.state, anew.settled_at, anew.attempts) == (MessageState.WAITING, None, 0)
    assert (anew.not_before, anew.next_attempt_at) == (later, later)


@every_state
def test_of_two_extensions_one_new_mail_tells_until_it_has_left(state: State, now: datetime) -> None:
    booking = MAKE[state](now=now)
    sent(mails(booking, TOLD_BY[state])[0], now)
    extend(extend(booking, now), now)
    [_, anew] = mails(booking, TOLD_BY[state])
    sent(anew, now)
    extend(scenarios.again(booking), now)
    assert len(mails(booking, TOLD_BY[state])) == 3


@every_state
def test_a_clock_that_stepped_back_since_hides_nobody_who_was_told(state: State, now: datetime) -> None:
    booking = MAKE[state](now=now)
    sent(mails(booking, TOLD_BY[state])[0], now)
    extend(booking, now - 2 * HOUR)
    assert len(mails(booking, TOLD_BY[state])) == 2


@every_state
def test_more_time_that_is_over_too_is_told_to_nobody(state: State, now: datetime) -> None:
    booking = MAKE[state](now=now)
    sent(mails(booking, TOLD_BY[state])[0], now)
    extend(booking, now + timedelta(days=30))
    assert len(mails(booking, TOLD_BY[state])) == 1


def test_mails_that_the_practice_causes_count_for_no_limit_of_strangers(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    for number in range(policy.STRANGER_MAILS_PER_DAY + 1):
        sent(mails(booking, Notice.DRAFT_SUBMITTED)[-1], now)
        booking = extend(booking, now)
        assert len(mails(booking, Notice.DRAFT_SUBMITTED)) == number + 2
    assert {row.state for row in mails(booking, Notice.DRAFT_SUBMITTED)} == {MessageState.DONE, MessageState.WAITING}
    assert messages.is_within_limits([Notice.DRAFT_SUBMITTED], booking.email, now=now, hourly=2, daily=2)


# -- reminders --------------------------------------------------------------------------------------------------------

REMINDERS = [
    (State.DRAFT, Notice.DRAFT_STILL_UNVERIFIED),
    (State.PENDING, Notice.ANSWER_LATE),
    (State.PENDING, Notice.STAFF_BOOKING_WAITING),
    (State.PENDING, Notice.MANAGER_BOOKING_OVERDUE),
]


@pytest.mark.parametrize(("state", "notice"), REMINDERS)
def test_a_reminder_moves_with_the_deadline(state: State, notice: Notice, now: datetime) -> None:
    booking = MAKE[state](now=now)
    [planned] = mails(booking, notice)
    extend(booking, now)
    [moved] = mails(booking, notice)
    due = planned.not_before + 6 * HOUR
    assert (moved.pk, moved.not_before, moved.next_attempt_at) == (planned.pk, due, due)


def test_the_reminder_to_pay_comes_half_a_day_before_the_new_end(now: datetime) -> None:
    booking = scenarios.approved(now=now, at=now + timedelta(days=9))
    booking = extend(booking, now, timedelta(days=2))
    assert booking.pay_by is not None
    at = booking.pay_by - 12 * HOUR
    expected = policy.outside_quiet_hours(at, deadline=booking.pay_by, now=now)
    assert mails(booking, Notice.PAYMENT_STILL_DUE)[0].not_before == expected


def test_the_reminder_to_pay_comes_before_an_end_that_a_move_brought_near(now: datetime) -> None:
    booking = scenarios.approved(now=now, at=now + timedelta(days=9))
    booking = reschedule(booking.pk, Move(now + 4 * HOUR), now=now, **STAFF)
    [reminder] = mails(booking, Notice.PAYMENT_STILL_DUE)
    assert booking.pay_by == now + 3 * HOUR
    assert reminder.not_before == now + 1.5 * HOUR


def test_a_reminder_that_was_claimed_and_not_begun_is_not_begun(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    [planned] = mails(booking, Notice.DRAFT_STILL_UNVERIFIED)
    claimed = {row.pk: row for row in messages.claim(Queue.MAIL, now=planned.not_before)}[planned.pk]
    extend(booking, planned.not_before)
    assert not holder.begin_attempt(claimed, now=planned.not_before)


def test_a_reminder_that_may_have_left_does_not_move(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    [planned] = mails(booking, Notice.DRAFT_STILL_UNVERIFIED)
    Message.objects.filter(pk=planned.pk).update(may_have_left=True)
    extend(booking, now)
    assert mails(booking, Notice.DRAFT_STILL_UNVERIFIED)[0].not_before == planned.not_before


# -- a link to cancel that is out -------------------------------------------------------------------------------------


def asked_to_cancel(now: datetime) -> tuple[Booking, Message]:
    """In time, by a minute; the mail has left."""
    booking = scenarios.confirmed(now=now, at=now + policy.CANCEL_NOTICE + timedelta(minutes=1))
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    return booking, sent(mails(booking, Notice.CANCELLATION_REQUESTED)[0], now)


def test_a_part_that_staff_give_back_is_promised_no_longer(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking, told = asked_to_cancel(now)
    later = now + timedelta(minutes=30)
    refunds.grant_refund(booking.pk, 50_000, now=later, **STAFF)
    [_, anew] = mails(booking, Notice.CANCELLATION_REQUESTED)
    facts = delivery.prepare(anew, now=later)
    assert facts is not None
    assert (facts["promised"], facts["link_until"]) == ("1,000.00", formatting.day_and_time(now + HOUR))
    link = Link.objects.get(message_uuid=anew.uuid)
    assert (link.created_at, link.expires_at) == (now, now + HOUR)
    done = cancellation.confirm_cancellation(links.token_of(anew.uuid, Purpose.CANCEL), now=later)
    assert (done.reason, Refund.objects.latest("pk").amount_paise) == (Reason.BY_VISITOR, 100_000)
    assert not delivery.prepare(told, now=later)


def test_a_link_that_is_promised_anew_counts_for_no_limit(now: datetime) -> None:
    booking, _ = asked_to_cancel(now)
    for _ in range(policy.CANCEL_LINKS_PER_HOUR):
        refunds.grant_refund(booking.pk, 1_000, now=now, **STAFF)
        sent(mails(booking, Notice.CANCELLATION_REQUESTED)[-1], now)
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    assert mails(booking, Notice.CANCELLATION_REQUESTED)[-1].state == MessageState.WAITING


def test_a_refund_that_the_gateway_refused_is_promised_again(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=3))
    refund = refunds.grant_refund(booking.pk, 50_000, now=now, **STAFF)
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    sent(mails(booking, Notice.CANCELLATION_REQUESTED)[0], now)
    for answer, promised in ((RefundOrderState.REFUSED, "1,500.00"), (None, "1,000.00")):
        if answer is None:
            refunds.record_refund_made(refund.pk, now=now, **STAFF)
        else:
            refunds.record_refund(refund.pk, RefundReport(refund.reference, "", answer, refund.amount_paise), now=now)
        anew = mails(booking, Notice.CANCELLATION_REQUESTED)[-1]
        facts = delivery.prepare(anew, now=now)
        assert facts is not None
        assert facts["promised"] == promised
        sent(anew, now)


def test_a_visitor_who_waits_for_the_bank_hears_that_the_gateway_refused(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, now=now, **STAFF)
    told = sent(mails(booking, Notice.REFUND_QUEUED)[0], now)
    refunds.record_refund(
        refund.pk, RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise), now=now
    )
    [_, other_way] = mails(booking, Notice.REFUND_QUEUED)
    facts = delivery.prepare(other_way, now=now)
    assert facts is not None
    assert (facts["refund_way"], facts["refund_reference"]) == ("by_hand", refund.reference)
    assert delivery.prepare(told, now=now) is None
    assert not delivery.is_owed_anew(told, now=now)  # the other way has its own mail


# -- by the mail worker -----------------------------------------------------------------------------------------------


def test_worker_and_intent_that_both_ask_for_it_get_one(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    message = frozen(mails(booking, Notice.BOOKING_APPROVED)[0], now=now)
    extend(booking, now)
    assert delivery.is_owed_anew(message, now=now)
    for _ in range(2):
        renewal.renew(message.pk, now=now)
    assert [row.dedupe_key for row in mails(booking, Notice.BOOKING_APPROVED)[1:]] == [f"anew:{message.pk}"]


def test_staff_are_not_told_anew_of_a_request_that_they_gave_more_time(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    message = sent(mails(booking, Notice.STAFF_BOOKING_RECEIVED)[0], now)
    extend(booking, now)
    assert mails(booking, Notice.STAFF_BOOKING_RECEIVED) == [message]


@pytest.mark.parametrize("kind", ["suppressed", "rolled back"])
def test_nothing_is_owed_anew_for_what_was_never_owed(kind: str, now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    if kind == "suppressed":
        Message.objects.filter(kind=Notice.DRAFT_SUBMITTED).update(state=MessageState.SUPPRESSED)
        extend(booking, now)
    else:
        sent(mails(booking, Notice.DRAFT_SUBMITTED)[0], now)
        with transaction.atomic():
            extend(booking, now)
            transaction.set_rollback(True)
    assert len(mails(booking, Notice.DRAFT_SUBMITTED)) == 1
