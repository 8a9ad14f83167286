"""A reminder on its way to a telephone while a provider is in trouble, a worker dies, or two things happen at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage

from backend.bookings.models import Booking
from backend.channels import routing
from backend.outbox import attempts, messages
from backend.outbox.attempts import LEASE
from backend.outbox.models import Message, MessageState, Queue
from backend.outbox.patience import FALLBACK_AFTER
from tests.support import mail_worker, scenarios, texts
from tests.support.fake_channels.base import FAILS, HANGS_UP, FakeChannel
from tests.support.texts import PHONE
from workers import texts as worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
SECOND = timedelta(seconds=1)
Fakes = dict[str, FakeChannel]


# -- a provider in trouble ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [HANGS_UP, FAILS])
def test_an_answer_that_was_not_heard_is_never_repeated_on_the_channel(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage], trouble: int
) -> None:
    fakes["sms"].trouble.append(trouble)
    texts.route(due)
    for minutes in range(12):
        texts.drain(due + timedelta(minutes=minutes))
        mail_worker.drain(due + timedelta(minutes=minutes))
    assert (len(texts.sent(fakes)), texts.reminders(mailoutbox)) == (1, 1)


def test_what_the_channel_surely_did_not_take_is_tried_again_as_long_as_the_mail_waits(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    fakes["sms"].trouble.append(429)
    text = texts.route(due)
    texts.drain(due)
    text.refresh_from_db()
    assert (text.state, text.hand_overs, texts.sent(fakes)) == (MessageState.WAITING, 0, [])
    texts.drain(due + timedelta(minutes=1))
    assert (len(texts.sent(fakes)), texts.reminders(mailoutbox)) == (1, 0)


def test_what_could_not_be_begun_in_time_is_taken_back_and_mailed(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    text = texts.route(due)
    mail_worker.drain(due + FALLBACK_AFTER)
    texts.drain(due + FALLBACK_AFTER + SECOND)
    text.refresh_from_db()
    assert (text.state, texts.sent(fakes), texts.reminders(mailoutbox)) == (MessageState.OBSOLETE, [], 1)


def test_a_number_that_the_channel_does_not_reach_is_mailed_at_once(
    now: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    booking = texts.confirmed(now, "custom")
    due = texts.mail_of(booking).not_before
    fakes["custom"].refuses[PHONE] = (422, {"message": "no such number"})
    text = texts.route(due)
    texts.drain(due)
    mail_worker.drain(due)
    text.refresh_from_db()
    assert (text.state, texts.sent(fakes), texts.reminders(mailoutbox)) == (MessageState.OBSOLETE, [], 1)


def test_a_channel_that_takes_nothing_is_left_alone_and_holds_up_no_other(
    now: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    for number in range(6):
        who = scenarios.psychologist(f"Dr. {number}", email=f"d{number}@example.org")
        booking = texts.confirmed(now, "sms" if number else "custom", email=f"v{number}@example.org", who=who)
    due = texts.mail_of(booking).not_before
    fakes["sms"].trouble.extend([429] * 4)
    mail_worker.drain(due)
    texts.drain(due)
    assert [len(fakes[name].asked) for name in ("sms", "custom")] == [3, 1]
    texts.drain(due + 9 * SECOND)
    assert len(fakes["sms"].asked) == 3
    with time_machine.travel(due + 9 * SECOND, tick=False):
        ahead = worker.look_ahead(texts.all_texts())
    assert {answer.until for answer in ahead.values()} == {due + 10 * SECOND}
    assert len(ahead) == 5  # of which none needs an attempt
    texts.drain(due + 10 * SECOND)  # one tries for all, and fails
    assert len(fakes["sms"].asked) == 4
    for seconds in (29, 30, 31):
        texts.drain(due + seconds * SECOND)
    assert len(texts.sent(fakes)) == 6
    assert texts.reminders(mailoutbox) == 0


# -- killed, and at once -----------------------------------------------------------------------------------------------


def test_a_worker_that_dies_between_sending_and_settling_sends_nothing_twice(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = texts.route(due)
    with monkeypatch.context() as patched:
        patched.setattr("workers.outcomes.answered", _dies)
        with pytest.raises(SystemExit):
            texts.drain(due)
    text.refresh_from_db()
    assert (text.state, text.hand_overs, len(texts.sent(fakes))) == (MessageState.WAITING, 1, 1)
    texts.drain(due + LEASE)
    text.refresh_from_db()
    assert (text.state, len(texts.sent(fakes))) == (MessageState.DONE, 1)
    mail_worker.drain(due + LEASE + FALLBACK_AFTER)
    assert texts.reminders(mailoutbox) == 1


def _dies(*_args: object, **_given: object) -> None:
    raise SystemExit


def test_a_worker_that_dies_before_it_hands_over_loses_nothing(
    booking: Booking, due: datetime, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts.route(due)
    with monkeypatch.context() as patched:
        patched.setattr(attempts, "hand_over", _dies)
        with pytest.raises(SystemExit):
            texts.drain(due)
    assert texts.sent(fakes) == []
    texts.drain(due + LEASE)
    assert len(texts.sent(fakes)) == 1


def test_a_mail_worker_that_dies_as_it_routes_has_done_neither_or_both(
    booking: Booking, due: datetime, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(routing, "_plan", _dies)
        with pytest.raises(SystemExit):
            mail_worker.drain(due)
    assert texts.all_texts() == []
    assert texts.mail_of(booking).subject_id is None
    text = texts.route(due + LEASE)
    assert texts.mail_of(booking).subject_id == text.pk


def test_of_a_mail_that_takes_its_text_back_and_a_worker_that_hands_it_over_one_is_first(
    booking: Booking, due: datetime, fakes: Fakes
) -> None:
    text = texts.route(due)
    (held,) = messages.claim(Queue.CALLS, now=due)
    attempts.write([attempts.begin(held, now=due)])
    assert routing.take_back(text, now=due)
    assert not attempts.write([attempts.hand_over(held)])  # so it does not send
    again = Message.objects.get(pk=text.pk)
    again.state = MessageState.WAITING
    again.save(update_fields=["state"])
    assert attempts.write([attempts.hand_over(again)])
    assert not routing.take_back(text, now=due)  # so the mail waits


def test_two_mail_workers_route_once(booking: Booking, due: datetime, fakes: Fakes) -> None:
    mail = texts.mail_of(booking)
    outlook = routing.look([(mail, booking.client_id)])
    first = routing.turn(mail, booking.client_id, outlook, now=due)
    second = routing.turn(mail, booking.client_id, outlook, now=due + SECOND)
    assert (first, second) == (due + FALLBACK_AFTER, due + SECOND + FALLBACK_AFTER)
    assert texts.mail_of(booking).not_before == due + FALLBACK_AFTER
    assert texts.the_text().subject_id == mail.pk


def test_who_has_lost_the_mail_owes_no_text(booking: Booking, due: datetime, fakes: Fakes) -> None:
    (held,) = [row for row in messages.claim(Queue.MAIL, now=due) if row.kind == texts.FIRST]
    outlook = routing.look([(held, booking.client_id)])
    assert messages.release_lease(held.pk, now=due)  # by an operator
    assert routing.turn(held, booking.client_id, outlook, now=due) == due + FALLBACK_AFTER
    assert texts.all_texts() == []
    assert texts.mail_of(booking).not_before == due


def test_a_delivery_that_is_heard_while_the_mail_is_about_to_leave_keeps_it(
    booking: Booking, due: datetime, fakes: Fakes
) -> None:
    text = texts.route(due)
    texts.drain(due)
    later = due + FALLBACK_AFTER
    (held,) = [row for row in messages.claim(Queue.MAIL, now=later) if row.kind == texts.FIRST]
    assert texts.delivered(text, later)
    assert not attempts.write([attempts.begin(held, now=later)])


def test_a_report_of_failure_that_comes_while_the_text_is_being_routed_is_not_overwritten(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail worker writes what became of its batch after it has looked at all of it."""
    monkeypatch.setattr(
        "workers.batch.Batch._note", lambda self, row, answer: routing.mail_now(texts.the_text(), now=due)
    )
    mail_worker.drain(due)
    monkeypatch.undo()
    row = texts.mail_of(booking)
    assert (row.not_before, row.next_attempt_at, row.lease_expires_at) == (due, due, None)
