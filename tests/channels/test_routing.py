"""A reminder goes to a telephone once, and by mail if that does not reach it: at most one fall-back, nothing lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage

from backend.bookings import policy
from backend.bookings.lifecycle import cancellation, deliveries, erasure, erasure_requests, reminder_choice, undo
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.channels import routing
from backend.channels.models import Consent
from backend.channels.names import ChannelName
from backend.outbox import attempts, messages
from backend.outbox.attempts import LEASE
from backend.outbox.models import Delivery, Message, MessageState, Queue
from backend.outbox.patience import FALLBACK_AFTER
from tests.support import mail_worker, scenarios, texts
from tests.support.fake_channels.base import FAILS, HANGS_UP, FakeChannel
from tests.support.texts import PHONE
from workers import texts as worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
SECOND = timedelta(seconds=1)
Fakes = dict[str, FakeChannel]


@pytest.fixture
def booking(now: datetime, fakes: Fakes) -> Booking:
    return texts.confirmed(now)


@pytest.fixture
def due(booking: Booking) -> datetime:
    """When the first reminder is."""
    return texts.mail_of(booking).not_before


def reminders(mailoutbox: list[EmailMessage]) -> int:
    """Mailed; the first reminder alone has begun by then."""
    return sum("reminder" in mail.subject.casefold() for mail in mailoutbox)


def sent(fakes: Fakes) -> list[tuple[str, str]]:
    return [(name, taken.phone) for name, fake in fakes.items() for taken in fake.taken]


def delivered(text: Message, at: datetime, delivery: Delivery = Delivery.DELIVERED) -> bool:
    return deliveries.record_text(ChannelName.SMS, texts.report(text.uuid, delivery), now=at)


# -- the way of one reminder -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ChannelName)
def test_who_chose_a_channel_is_texted_and_not_mailed_once_that_is_delivered(
    channel: ChannelName, now: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    booking = texts.confirmed(now, channel)
    mail = texts.mail_of(booking)
    text = texts.route(mail.not_before)
    assert (text.kind, text.dedupe_key, text.recipient) == (f"text:{channel}:session_approaching", f"by:{mail.pk}", "")
    texts.drain(mail.not_before)
    (taken,) = fakes[channel].taken
    assert (taken.phone, taken.language, taken.variables) == (PHONE, "en", ("Tuesday, 24 November 2026", "17:30 IST"))
    text.refresh_from_db()
    assert (text.state, text.provider_message_id, taken.key) == (MessageState.DONE, taken.id, str(text.uuid))
    report = texts.report(None, provider_message_id=taken.id)
    assert deliveries.record_text(channel, report, now=mail.not_before + SECOND)
    mail.refresh_from_db()
    assert (mail.state, mail.last_error, mail.may_have_left) == (MessageState.DONE, f"told by {channel}", False)
    mail_worker.drain(mail.not_before + FALLBACK_AFTER)
    assert reminders(mailoutbox) == 0
    assert sent(fakes) == [(channel, PHONE)]


def test_what_is_not_known_to_be_delivered_in_time_is_mailed_once(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    texts.route(due)
    texts.drain(due)
    mail_worker.drain(due + FALLBACK_AFTER - SECOND)
    assert reminders(mailoutbox) == 0
    for seconds in range(3):
        mail_worker.drain(due + FALLBACK_AFTER + seconds * SECOND)
        texts.drain(due + FALLBACK_AFTER + seconds * SECOND)
    assert reminders(mailoutbox) == 1
    assert delivered(texts.the_text(), due + FALLBACK_AFTER + 9 * SECOND)  # the telephone was off
    assert texts.mail_of(booking).last_error == ""
    assert sent(fakes) == [("sms", PHONE)]


def test_a_text_that_left_late_has_its_time_too(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    texts.route(due)
    late = due + FALLBACK_AFTER - SECOND
    texts.drain(late)
    mail_worker.drain(due + FALLBACK_AFTER)
    mail_worker.drain(late + FALLBACK_AFTER - SECOND)
    assert reminders(mailoutbox) == 0
    mail_worker.drain(late + FALLBACK_AFTER)
    assert reminders(mailoutbox) == 1


def test_a_report_that_it_failed_is_mailed_at_once(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    text = texts.route(due)
    texts.drain(due)
    for _ in range(2):
        delivered(text, due + SECOND, Delivery.BOUNCED)
        mail_worker.drain(due + SECOND)
    assert reminders(mailoutbox) == 1
    assert not delivered(text, due + 2 * SECOND)  # forward only
    assert len(sent(fakes)) == 1


def test_nobody_else_is_texted_and_no_other_notice(now: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]) -> None:
    booking = texts.confirmed(now, "email")
    mail_worker.drain(texts.mail_of(booking).not_before)
    assert (texts.all_texts(), reminders(mailoutbox)) == ([], 1)
    other = texts.confirmed(now, "sms", email=scenarios.RAVI, who=scenarios.psychologist("Dr. Other"))
    assert texts.all_texts() == []
    assert other.pk != booking.pk


def test_while_it_waits_for_a_report_a_younger_notice_leaves(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    texts.route(due)
    texts.drain(due)
    scenarios.call_off(booking, due + SECOND)
    mail_worker.drain(due + policy.UNDO_WINDOW + 2 * SECOND)
    assert Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_CANCELLED).state == MessageState.DONE


def test_who_has_no_address_is_texted_and_told_by_telephone_only_if_that_fails(
    booking: Booking, due: datetime, fakes: Fakes
) -> None:
    Message.objects.filter(pk=texts.mail_of(booking).pk).update(recipient="", mailbox="")
    text = texts.route(due)
    texts.drain(due)
    assert len(sent(fakes)) == 1
    delivered(text, due + SECOND, Delivery.BOUNCED)
    mail_worker.drain(due + SECOND)
    row = texts.mail_of(booking)
    assert (row.state, row.is_snoozed, row.not_before) == (MessageState.WAITING, True, due + SECOND)


# -- true, and wanted, as it leaves ------------------------------------------------------------------------------------


def test_a_stop_between_owing_and_sending_is_heard(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    text = texts.route(due)
    reminder_choice.stop_texts(PHONE, now=due)
    texts.drain(due + SECOND)
    mail_worker.drain(due + SECOND)
    text.refresh_from_db()
    assert (text.state, sent(fakes), reminders(mailoutbox)) == (MessageState.OBSOLETE, [], 1)


def test_who_chose_another_channel_meanwhile_is_not_texted_by_the_first(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    texts.route(due)
    reminder_choice.record_reminders(booking.pk, "whatsapp", actor="staff:desk", now=due)
    texts.drain(due)
    mail_worker.drain(due)
    assert (sent(fakes), reminders(mailoutbox)) == ([], 1)


def test_a_channel_that_is_taken_away_leaves_nobody_untold(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage], settings
) -> None:
    texts.route(due)
    settings.MSG91_AUTH_KEY = ""
    texts.drain(due)
    mail_worker.drain(due)
    assert (sent(fakes), reminders(mailoutbox)) == ([], 1)


def test_the_text_of_a_session_that_was_called_off_is_not_sent(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    text = texts.route(due)
    scenarios.call_off(booking, due)
    texts.drain(due + policy.UNDO_WINDOW + SECOND)
    mail_worker.drain(due + policy.UNDO_WINDOW + SECOND)
    text.refresh_from_db()
    assert (text.state, sent(fakes), reminders(mailoutbox)) == (MessageState.OBSOLETE, [], 0)
    assert texts.mail_of(booking).state == MessageState.OBSOLETE


def test_a_decision_that_can_be_undone_is_waited_for(booking: Booking, due: datetime, fakes: Fakes) -> None:
    text = texts.route(due)
    cancellation.cancel_by_staff(
        booking.pk,
        note_to_visitor="",
        refund=cancellation.RefundChoice.FULL,
        refund_reason="",
        actor="staff:desk",
        now=due,
        is_undoable=True,
    )
    texts.drain(due + SECOND)
    text.refresh_from_db()
    assert (text.state, text.is_snoozed, sent(fakes)) == (MessageState.WAITING, True, [])
    undo.undo_decision(booking.pk, actor="staff:desk", now=due + 2 * SECOND)
    texts.drain(due + policy.UNDO_WINDOW + SECOND)
    assert sent(fakes) == [("sms", PHONE)]


def test_a_session_that_was_moved_is_texted_of_its_new_time_alone(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    first = texts.route(due)
    reschedule(booking.pk, Move(due + timedelta(days=9)), actor="staff:desk", now=due)
    texts.drain(due)
    first.refresh_from_db()
    assert (first.state, sent(fakes)) == (MessageState.OBSOLETE, [])
    again = due + timedelta(days=8)
    mail_worker.drain(again)
    texts.drain(again)
    (taken,) = fakes["sms"].taken
    assert taken.variables == ("Wednesday, 2 December 2026", "17:30 IST")
    assert reminders(mailoutbox) == 0


def test_an_erasure_takes_texts_and_consent_with_it(booking: Booking, due: datetime, fakes: Fakes) -> None:
    text = texts.route(due)
    texts.drain(due)
    Booking.objects.filter(pk=booking.pk).update(state="CANCELLED", due_at=None, closed_at=due)
    left = Message.objects.create(
        queue=Queue.CALLS, kind="text:sms:session_imminent", dedupe_key="by:0", booking_id=booking.pk, created_at=due,
        not_before=due, next_attempt_at=due,
    )  # fmt: skip
    request = erasure_requests.record_erasure(booking.client_id or 0, actor="staff:desk", now=due)
    erasure.carry_out(request.pk, now=request.due_at)
    text.refresh_from_db()
    left.refresh_from_db()
    assert (text.provider_message_id, text.blanked_at, Consent.objects.count()) == ("", request.due_at, 0)
    assert left.state == MessageState.OBSOLETE


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
    assert (len(sent(fakes)), reminders(mailoutbox)) == (1, 1)


def test_what_the_channel_surely_did_not_take_is_tried_again_as_long_as_the_mail_waits(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    fakes["sms"].trouble.append(429)
    text = texts.route(due)
    texts.drain(due)
    text.refresh_from_db()
    assert (text.state, text.hand_overs, sent(fakes)) == (MessageState.WAITING, 0, [])
    texts.drain(due + timedelta(minutes=1))
    assert (len(sent(fakes)), reminders(mailoutbox)) == (1, 0)


def test_what_could_not_be_begun_in_time_is_taken_back_and_mailed(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    text = texts.route(due)
    mail_worker.drain(due + FALLBACK_AFTER)
    texts.drain(due + FALLBACK_AFTER + SECOND)
    text.refresh_from_db()
    assert (text.state, sent(fakes), reminders(mailoutbox)) == (MessageState.OBSOLETE, [], 1)


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
    assert (text.state, sent(fakes), reminders(mailoutbox)) == (MessageState.OBSOLETE, [], 1)


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
    assert len(sent(fakes)) == 6
    assert reminders(mailoutbox) == 0


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
    assert (text.state, text.hand_overs, len(sent(fakes))) == (MessageState.WAITING, 1, 1)
    texts.drain(due + LEASE)
    text.refresh_from_db()
    assert (text.state, len(sent(fakes))) == (MessageState.DONE, 1)
    mail_worker.drain(due + LEASE + FALLBACK_AFTER)
    assert reminders(mailoutbox) == 1


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
    assert sent(fakes) == []
    texts.drain(due + LEASE)
    assert len(sent(fakes)) == 1


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
    assert delivered(text, later)
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


# -- where none is configured ------------------------------------------------------------------------------------------


def test_a_copy_of_a_routed_mail_is_mailed(booking: Booking, due: datetime, fakes: Fakes) -> None:
    mail = texts.mail_of(booking)
    texts.route(due)
    copy = texts.mail_of(booking)
    copy.pk, copy.uuid, copy.dedupe_key = None, Message().uuid, "anew:1"
    copy.not_before = copy.next_attempt_at = due
    copy.save()
    other = texts.mail_of(booking, Notice.SESSION_IMMINENT)  # in the same batch, so that the consent is known
    outlook = routing.look([(copy, booking.client_id), (other, booking.client_id)])
    assert routing.turn(copy, booking.client_id, outlook, now=due) is None
    assert routing.mail_of(texts.the_text()) == mail
