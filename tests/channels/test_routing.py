"""A reminder goes to a telephone once, and by mail if that does not reach it: at most one fall-back, nothing lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.mail import EmailMessage

from backend.bookings import policy
from backend.bookings.lifecycle import cancellation, deliveries, erasure, erasure_requests, reminder_choice, undo
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.channels import routing
from backend.channels.models import Consent
from backend.channels.names import ChannelName
from backend.outbox.models import Delivery, Message, MessageState, Queue
from backend.outbox.patience import FALLBACK_AFTER
from tests.support import mail_worker, scenarios, texts
from tests.support.fake_channels.base import FakeChannel
from tests.support.texts import PHONE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
SECOND = timedelta(seconds=1)
Fakes = dict[str, FakeChannel]


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
    assert texts.reminders(mailoutbox) == 0
    assert texts.sent(fakes) == [(channel, PHONE)]


def test_what_is_not_known_to_be_delivered_in_time_is_mailed_once(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    texts.route(due)
    texts.drain(due)
    mail_worker.drain(due + FALLBACK_AFTER - SECOND)
    assert texts.reminders(mailoutbox) == 0
    for seconds in range(3):
        mail_worker.drain(due + FALLBACK_AFTER + seconds * SECOND)
        texts.drain(due + FALLBACK_AFTER + seconds * SECOND)
    assert texts.reminders(mailoutbox) == 1
    assert texts.delivered(texts.the_text(), due + FALLBACK_AFTER + 9 * SECOND)  # the telephone was off
    assert texts.mail_of(booking).last_error == ""
    assert texts.sent(fakes) == [("sms", PHONE)]


def test_a_text_that_left_late_has_its_time_too(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    texts.route(due)
    late = due + FALLBACK_AFTER - SECOND
    texts.drain(late)
    mail_worker.drain(due + FALLBACK_AFTER)
    mail_worker.drain(late + FALLBACK_AFTER - SECOND)
    assert texts.reminders(mailoutbox) == 0
    mail_worker.drain(late + FALLBACK_AFTER)
    assert texts.reminders(mailoutbox) == 1


def test_a_report_that_it_failed_is_mailed_at_once(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    text = texts.route(due)
    texts.drain(due)
    for _ in range(2):
        texts.delivered(text, due + SECOND, Delivery.BOUNCED)
        mail_worker.drain(due + SECOND)
    assert texts.reminders(mailoutbox) == 1
    assert not texts.delivered(text, due + 2 * SECOND)  # forward only
    assert len(texts.sent(fakes)) == 1


def test_nobody_else_is_texted_and_no_other_notice(now: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]) -> None:
    booking = texts.confirmed(now, "email")
    mail_worker.drain(texts.mail_of(booking).not_before)
    assert (texts.all_texts(), texts.reminders(mailoutbox)) == ([], 1)
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
    assert len(texts.sent(fakes)) == 1
    texts.delivered(text, due + SECOND, Delivery.BOUNCED)
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
    assert (text.state, texts.sent(fakes), texts.reminders(mailoutbox)) == (MessageState.OBSOLETE, [], 1)


def test_who_chose_another_channel_meanwhile_is_not_texted_by_the_first(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    texts.route(due)
    reminder_choice.record_reminders(booking.pk, "whatsapp", actor="staff:desk", now=due)
    texts.drain(due)
    mail_worker.drain(due)
    assert (texts.sent(fakes), texts.reminders(mailoutbox)) == ([], 1)


def test_a_channel_that_is_taken_away_leaves_nobody_untold(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage], settings
) -> None:
    texts.route(due)
    settings.MSG91_AUTH_KEY = ""
    texts.drain(due)
    mail_worker.drain(due)
    assert (texts.sent(fakes), texts.reminders(mailoutbox)) == ([], 1)


def test_the_text_of_a_session_that_was_called_off_is_not_sent(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    text = texts.route(due)
    scenarios.call_off(booking, due)
    texts.drain(due + policy.UNDO_WINDOW + SECOND)
    mail_worker.drain(due + policy.UNDO_WINDOW + SECOND)
    text.refresh_from_db()
    assert (text.state, texts.sent(fakes), texts.reminders(mailoutbox)) == (MessageState.OBSOLETE, [], 0)
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
    assert (text.state, text.is_snoozed, texts.sent(fakes)) == (MessageState.WAITING, True, [])
    undo.undo_decision(booking.pk, actor="staff:desk", now=due + 2 * SECOND)
    texts.drain(due + policy.UNDO_WINDOW + SECOND)
    assert texts.sent(fakes) == [("sms", PHONE)]


def test_a_session_that_was_moved_is_texted_of_its_new_time_alone(
    booking: Booking, due: datetime, fakes: Fakes, mailoutbox: list[EmailMessage]
) -> None:
    first = texts.route(due)
    reschedule(booking.pk, Move(due + timedelta(days=9)), actor="staff:desk", now=due)
    texts.drain(due)
    first.refresh_from_db()
    assert (first.state, texts.sent(fakes)) == (MessageState.OBSOLETE, [])
    again = due + timedelta(days=8)
    mail_worker.drain(again)
    texts.drain(again)
    (taken,) = fakes["sms"].taken
    assert taken.variables == ("Wednesday, 2 December 2026", "17:30 IST")
    assert texts.reminders(mailoutbox) == 0


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
