"""The outbox row: emitted once, claimed by one, settled by its holder, never forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from backend.bookings import retention
from backend.bookings.retention import Kind
from backend.outbox import attempts, messages, patience, turns
from backend.outbox.models import Message, MessageState, Queue
from tests.support import holder

pytestmark = pytest.mark.django_db


def owe(now: datetime, key: str = "booking:1:x:1", **fields: object) -> Message:
    given = {"queue": Queue.MAIL, "kind": "x", "recipient": "asha@example.org", "booking_id": 1, **fields}
    with transaction.atomic():
        messages.emit(dedupe_key=key, now=now, **given)
    return Message.objects.get(dedupe_key=key)


def claimed(now: datetime) -> Message:
    [row] = messages.claim(Queue.MAIL, now=now)
    return row


def fresh(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


@pytest.mark.django_db(transaction=True)
def test_an_effect_cannot_be_owed_outside_a_transaction(now: datetime) -> None:
    with pytest.raises(TransactionManagementError):
        messages.emit(queue=Queue.MAIL, kind="x", dedupe_key="k", now=now)


def test_a_second_row_of_the_same_key_is_not_written(now: datetime) -> None:
    first = owe(now)
    assert owe(now + timedelta(hours=1)).uuid == first.uuid
    assert Message.objects.count() == 1


def test_a_row_is_not_claimed_before_its_time(now: datetime) -> None:
    owe(now, not_before=now + timedelta(seconds=10))
    assert messages.claim(Queue.MAIL, now=now + timedelta(seconds=9)) == []
    assert len(messages.claim(Queue.MAIL, now=now + timedelta(seconds=10))) == 1


def test_a_claim_is_exclusive_until_its_lease_ends(now: datetime) -> None:
    owe(now)
    first = claimed(now)
    assert messages.claim(Queue.MAIL, now=now + messages.CLAIMED_FOR - timedelta(seconds=1)) == []
    second = claimed(now + messages.CLAIMED_FOR)
    assert second.fence == first.fence + 1


def test_the_holder_of_an_older_fence_can_neither_begin_nor_settle(now: datetime) -> None:
    owe(now)
    slow = claimed(now)
    quick = claimed(now + messages.CLAIMED_FOR)
    assert not holder.begin_attempt(slow, now=now)
    assert not holder.settle(slow, MessageState.DONE, now=now)
    holder.back_off(slow, "late", now=now)
    holder.give_up(slow, "late", now=now)
    holder.hand_back([slow])
    assert fresh(slow).state == MessageState.WAITING
    assert fresh(slow).lease_expires_at == now + 2 * messages.CLAIMED_FOR
    assert holder.begin_attempt(quick, now=now)
    assert holder.settle(quick, MessageState.DONE, now=now)
    assert fresh(slow).state == MessageState.DONE


def test_beginning_counts_the_attempt_and_renews_the_lease(now: datetime) -> None:
    owe(now)
    row = claimed(now)
    later = now + timedelta(seconds=30)
    assert holder.begin_attempt(row, now=later)
    assert (fresh(row).attempts, fresh(row).lease_expires_at) == (1, later + attempts.LEASE)


def test_a_row_that_was_begun_has_its_next_turn_after_those_claimed_with_it(now: datetime) -> None:
    deadly, beside = owe(now, "1"), owe(now, "2", booking_id=2)
    assert holder.begin_attempt(messages.claim(Queue.MAIL, now=now)[0], now=now)  # and there its worker dies
    assert [row.pk for row in messages.claim(Queue.MAIL, now=now + attempts.LEASE)] == [beside.pk, deadly.pk]


def test_a_claim_takes_one_queue_only_and_the_oldest_turns_first(now: datetime) -> None:
    owe(now, "p", queue=Queue.PAYMENTS)
    second = owe(now, "b", not_before=now + timedelta(seconds=2))
    first = owe(now, "c", not_before=now + timedelta(seconds=1))
    rows = messages.claim(Queue.MAIL, now=now + timedelta(minutes=1))
    assert [row.pk for row in rows] == [first.pk, second.pk]


def test_a_claim_of_nothing_costs_one_query(now: datetime, django_assert_num_queries) -> None:
    turns.beginning(Queue.MAIL, now=now)  # is asked for every ten seconds
    with django_assert_num_queries(3):  # the transaction's savepoint, inside the test's own, and one SELECT
        assert messages.claim(Queue.MAIL, now=now) == []


def test_rows_handed_back_can_be_taken_at_once_and_count_no_attempt(now: datetime) -> None:
    owe(now)
    holder.hand_back([claimed(now)])
    assert claimed(now).attempts == 0


def test_back_off_grows_with_jitter_and_ends_in_death(now: datetime) -> None:
    owe(now)
    spans = []
    for _ in range(attempts.MAX_ATTEMPTS):
        row = claimed(now)
        assert holder.begin_attempt(row, now=now)
        holder.back_off(row, "no answer", now=now)
        spans.append(fresh(row).next_attempt_at - now)
        now = fresh(row).next_attempt_at
    for attempt, span in enumerate(spans[:-1], start=1):
        usual = patience.AN_HOUR.wait(attempt)
        assert usual * 0.75 <= span <= usual * 1.25
    assert (fresh(row).state, fresh(row).last_error) == (MessageState.DEAD, "no answer")


def test_what_may_have_left_is_handed_over_once_more_and_then_somebody_decides(now: datetime) -> None:
    owe(now)
    for _ in range(2):
        row = claimed(now)
        assert holder.begin_attempt(row, now=now)
        assert holder.hand_over(row)
        holder.back_off(row, "no answer", now=now)
        now += timedelta(hours=1)
    assert (fresh(row).state, fresh(row).last_error, fresh(row).attempts) == (MessageState.UNKNOWN, "no answer", 2)
    assert [messages.redrive(row.pk, now=now), messages.redrive(row.pk, now=now)] == [True, False]
    assert holder.begin_attempt(claimed(now), now=now)


def test_a_worker_that_dies_in_two_hand_overs_leaves_it_to_somebody(now: datetime) -> None:
    row = owe(now)
    for _ in range(2):
        held = claimed(now)
        assert holder.begin_attempt(held, now=now)
        assert holder.hand_over(held)
        now += attempts.LEASE
    assert not holder.begin_attempt(claimed(now), now=now)
    assert fresh(row).state == MessageState.UNKNOWN


def test_a_no_takes_the_hand_over_back(now: datetime) -> None:
    owe(now)
    for _ in range(4):
        row = claimed(now)
        assert holder.begin_attempt(row, now=now)
        assert holder.hand_over(row)
        holder.back_off(row, "busy", now=now, has_surely_not_left=True)
        assert (fresh(row).hand_overs, fresh(row).may_have_left, fresh(row).state) == (0, False, MessageState.WAITING)
        now += timedelta(hours=1)


def test_an_answer_that_it_failed_is_no_silence_and_may_hide_an_acceptance(now: datetime) -> None:
    owe(now)
    for is_answered in (False, True, True, True):
        row = claimed(now)
        assert holder.begin_attempt(row, now=now)
        assert holder.hand_over(row)
        holder.back_off(row, "HTTP 503", now=now, is_answered=is_answered)
        assert (fresh(row).hand_overs, fresh(row).may_have_left, fresh(row).state) == (1, True, MessageState.WAITING)
        now += timedelta(hours=1)


def test_what_another_worker_has_by_now_is_not_handed_over(now: datetime) -> None:
    owe(now)
    slow = claimed(now)
    assert holder.begin_attempt(slow, now=now)
    claimed(now + attempts.LEASE)
    assert not holder.hand_over(slow)


def test_a_refused_account_holds_the_queue_until_one_row_went_through(now: datetime) -> None:
    first, second = owe(now), owe(now, "booking:2:x:1", booking_id=2)
    held, other = messages.claim(Queue.MAIL, now=now)
    assert holder.begin_attempt(held, now=now)
    holder.hold(held, "SMTP 535", now=now)
    holder.hand_back([other])
    assert (fresh(first).attempts, fresh(first).state) == (0, MessageState.WAITING)
    assert messages.claim(Queue.MAIL, now=now) == []
    assert not messages.begins_trial(Queue.MAIL, now=now)
    later = now + attempts.RETRY_AFTER
    assert [messages.begins_trial(Queue.MAIL, now=later), messages.begins_trial(Queue.MAIL, now=later)] == [True, False]
    assert [row.pk for row in messages.claim(Queue.MAIL, now=later, limit=1, is_trial=True)] == [second.pk]
    messages.end_hold(Queue.MAIL)
    assert [row.pk for row in messages.claim(Queue.MAIL, now=later)] == [first.pk]


def test_an_operators_pause_takes_the_place_of_the_providers_and_outlives_it(now: datetime) -> None:
    row = owe(now)
    held = claimed(now)
    assert holder.begin_attempt(held, now=now)
    holder.hold(held, "SMTP 535", now=now)
    assert messages.pause(Queue.MAIL, by="staff:asha", reason="moving", now=now)
    assert not messages.begins_trial(Queue.MAIL, now=now + timedelta(days=1))
    messages.end_hold(Queue.MAIL)
    assert messages.claim(Queue.MAIL, now=now + timedelta(days=1), is_trial=True) == []
    assert messages.resume(Queue.MAIL)
    assert [found.pk for found in messages.claim(Queue.MAIL, now=now + timedelta(days=1))] == [row.pk]


def test_a_hold_that_a_clock_left_in_the_future_is_tried_at_once(now: datetime) -> None:
    owe(now)
    held = claimed(now)
    assert holder.begin_attempt(held, now=now)
    holder.hold(held, "SMTP 535", now=now + timedelta(days=1))
    assert messages.begins_trial(Queue.MAIL, now=now)


def test_an_effect_that_kills_its_worker_is_parked_after_its_attempts(now: datetime) -> None:
    owe(now)
    for _ in range(attempts.MAX_ATTEMPTS):
        assert holder.begin_attempt(claimed(now), now=now)
        now += attempts.LEASE
    assert not holder.begin_attempt(claimed(now), now=now)
    row = Message.objects.get()
    assert (row.state, row.attempts) == (MessageState.DEAD, attempts.MAX_ATTEMPTS)
    assert row.last_error


def test_a_dead_row_is_redriven_once_even_when_two_press(now: datetime) -> None:
    owe(now)
    holder.give_up(claimed(now), "no such mailbox", now=now)
    pk = Message.objects.get().pk
    assert [messages.redrive(pk, now=now), messages.redrive(pk, now=now)] == [True, False]
    assert claimed(now).attempts == 0


def test_only_a_dead_row_is_redriven(now: datetime) -> None:
    row = owe(now)
    assert not messages.redrive(row.pk, now=now)


def test_a_notice_waits_for_an_older_due_one_of_the_same_booking_and_recipient(now: datetime) -> None:
    older, newer = owe(now, "1"), owe(now, "2")
    assert holder.waits_for_older(newer, now=now)
    assert not holder.waits_for_older(older, now=now)
    holder.settle(older, MessageState.OBSOLETE, now=now)
    assert not holder.waits_for_older(newer, now=now)


@pytest.mark.parametrize(
    "fields",
    [
        {"recipient": "staff@example.org"},
        {"booking_id": 2},
        {"not_before": datetime.max.replace(tzinfo=None)},
        {"suppressed": True},
    ],
)
def test_a_notice_does_not_wait_for_what_has_no_bearing_on_it(fields: dict[str, object], now: datetime) -> None:
    if "not_before" in fields:
        fields = {"not_before": now + timedelta(hours=1)}
    owe(now, "1", **fields)
    assert not holder.waits_for_older(owe(now, "2"), now=now)


def test_work_at_the_gateway_waits_for_no_older_work_that_looked_and_was_too_early(now: datetime) -> None:
    owe(now, "1", queue=Queue.PAYMENTS, recipient="")
    newer = owe(now, "2", queue=Queue.PAYMENTS, recipient="")
    [row] = messages.claim(Queue.PAYMENTS, now=now, limit=1)
    holder.begin_attempt(row, now=now)
    holder.snooze(row, until=now + timedelta(days=3), now=now)  # a bank that gives back slowly
    assert not holder.waits_for_older(newer, now=now)


def test_an_older_notice_in_back_off_is_still_waited_for(now: datetime) -> None:
    older, newer = owe(now, "1"), owe(now, "2")
    row = messages.claim(Queue.MAIL, now=now, limit=1)[0]
    assert row.pk == older.pk
    holder.begin_attempt(row, now=now)
    holder.back_off(row, "busy", now=now)
    assert holder.waits_for_older(newer, now=now)


def test_old_settled_rows_lose_address_and_text_and_stay(now: datetime) -> None:
    done, waiting = owe(now, "1"), owe(now, "2", booking_id=2)
    done.state, done.settled_at, done.context = MessageState.DONE, now, {"name": "Asha"}
    done.save()
    assert messages.redact(retention.due(Kind.MAILS, now - timedelta(seconds=1)), now=now) == 0
    assert messages.redact(retention.due(Kind.MAILS, now), now=now) == 1
    blanked = fresh(done)
    assert (blanked.recipient, blanked.context, blanked.blanked_at) == ("", None, now)
    assert fresh(waiting).recipient == "asha@example.org"
    assert messages.redact(retention.due(Kind.MAILS, now), now=now) == 0


def begun(now: datetime) -> Message:
    row = claimed(now)
    assert holder.begin_attempt(row, now=now)
    return row


def test_a_snoozed_row_has_its_attempt_back_and_its_next_turn_when_it_asked(now: datetime) -> None:
    owe(now)
    holder.back_off(begun(now), "busy", now=now)
    later = now + timedelta(hours=1)
    holder.snooze(begun(later), until=later + timedelta(hours=3), now=later)
    row = Message.objects.get()
    assert (row.state, row.attempts, row.is_snoozed, row.last_error) == (MessageState.WAITING, 1, True, "")
    assert (row.lease_expires_at, row.next_attempt_at) == (None, later + timedelta(hours=3))
    begun(row.next_attempt_at)
    assert (Message.objects.get().attempts, Message.objects.get().is_snoozed) == (2, False)


def test_nobody_is_left_alone_for_longer_than_a_day(now: datetime) -> None:
    owe(now)
    holder.snooze(begun(now), until=now + timedelta(days=400), now=now)
    assert Message.objects.get().next_attempt_at == now + attempts.SNOOZE_MOST


def test_the_holder_of_an_older_fence_cannot_snooze(now: datetime) -> None:
    owe(now)
    slow = begun(now)
    begun(now + attempts.LEASE)
    holder.snooze(slow, until=now + timedelta(days=1), now=now)
    row = Message.objects.get()
    assert (row.attempts, row.is_snoozed, row.lease_expires_at) == (2, False, now + 2 * attempts.LEASE)


# -- whether an attempt may have left ---------------------------------------------------------------------------------


def test_what_was_begun_may_have_left_until_we_know_better(now: datetime) -> None:
    assert not owe(now).may_have_left
    begun(now)
    assert Message.objects.get().may_have_left


@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.parametrize("surely_not", [False, True])
def test_a_failure_says_whether_it_may_have_left(surely_not: bool, is_last: bool, now: datetime) -> None:
    row = owe(now)
    Message.objects.filter(pk=row.pk).update(attempts=attempts.MAX_ATTEMPTS - 1 if is_last else 0)
    holder.back_off(begun(now), "busy", now=now, has_surely_not_left=surely_not)
    assert fresh(row).state == (MessageState.DEAD if is_last else MessageState.WAITING)
    assert fresh(row).may_have_left is not surely_not


@pytest.mark.parametrize("surely_not", [False, True])
def test_a_refusal_says_whether_it_may_have_left(surely_not: bool, now: datetime) -> None:
    owe(now)
    holder.give_up(begun(now), "no such mailbox", now=now, has_surely_not_left=surely_not)
    assert Message.objects.get().may_have_left is not surely_not


def test_what_may_have_left_once_is_not_forgotten_by_a_later_failure(now: datetime) -> None:
    owe(now)
    holder.back_off(begun(now), "time-out", now=now)
    turn = Message.objects.get().next_attempt_at
    holder.back_off(begun(turn), "refused", now=turn, has_surely_not_left=True)
    assert Message.objects.get().may_have_left


def test_what_was_overtaken_has_not_left_and_what_was_done_has(now: datetime) -> None:
    overtaken, done = owe(now, "1"), owe(now, "2", booking_id=2)
    for row, state in zip(messages.claim(Queue.MAIL, now=now), (MessageState.OBSOLETE, MessageState.DONE), strict=True):
        holder.begin_attempt(row, now=now)
        holder.settle(row, state, now=now)
    assert (fresh(overtaken).may_have_left, fresh(done).may_have_left) == (False, True)
