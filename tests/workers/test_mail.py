"""The mail worker against a real SMTP server: once, in order, true when it leaves, and over one connection."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default as default_policy

import pytest
import time_machine
from django.conf import settings as django_settings

from backend.bookings.lifecycle import timers, visitor
from backend.bookings.notices import Notice
from backend.outbox import messages
from backend.outbox.models import Message, MessageState
from tests.support import api, scenarios
from tests.support.mail_sink import Sink
from tests.support.scenarios import RAVI
from workers import mail
from workers.stopping import stopping

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore::ResourceWarning")]


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        mail.drain()


def kinds(state: MessageState) -> list[str]:
    return list(Message.objects.filter(state=state).order_by("pk").values_list("kind", flat=True))


def test_a_mail_leaves_once_and_is_settled(now: datetime, sink: Sink) -> None:
    scenarios.submitted(now=now)
    drain(now)
    drain(now)
    assert sink.recipients == [[scenarios.ASHA]]
    assert kinds(MessageState.DONE) == [Notice.DRAFT_SUBMITTED]


def test_an_address_in_other_letters_is_written_to_as_mail_servers_take_it(now: datetime, sink: Sink) -> None:
    with time_machine.travel(now, tick=False):
        api.done(api.post(api.DRAFT, api.form(now, email="Asha@Müller.example")), 201)
    drain(now)
    assert sink.recipients == [["asha@xn--mller-kva.example"]]
    head = message_from_bytes(sink.accepted[0], policy=default_policy)
    assert head["To"] == "asha@xn--mller-kva.example"
    assert kinds(MessageState.DONE) == [Notice.DRAFT_SUBMITTED]


def test_the_mailed_token_is_the_links(now: datetime, sink: Sink) -> None:
    booking = scenarios.submitted(now=now)
    drain(now)
    text = message_from_bytes(sink.accepted[0], policy=default_policy).get_body(("plain",)).get_content()
    token = text.split("/verify-email?token=")[1].split()[0]
    assert visitor.verify_email(token, now=now).pk == booking.pk


def test_many_mails_leave_over_one_kept_connection(now: datetime, sink: Sink) -> None:
    for n in range(25):
        scenarios.submitted(f"v{n}@example.org", now=now)
    drain(now)
    drain(now)
    assert len(sink.accepted) == 25
    assert sink.connections == 1


def test_a_notice_that_is_no_longer_true_is_not_sent(now: datetime, sink: Sink) -> None:
    booking = scenarios.submitted(now=now)
    visitor.verify_email(scenarios.token_of(booking), now=now)
    drain(now)
    assert Notice.DRAFT_SUBMITTED in kinds(MessageState.OBSOLETE)
    assert Notice.BOOKING_RECEIVED in kinds(MessageState.DONE)


def test_a_passing_failure_is_tried_again_with_the_same_bytes(now: datetime, sink: Sink) -> None:
    scenarios.submitted(now=now)
    sent: list[bytes] = []

    def busy(envelope) -> str:
        sent.append(envelope.content)
        return "451 busy" if len(sent) == 1 else "250 accepted"

    sink.answer = busy
    drain(now)
    row = Message.objects.get(kind=Notice.DRAFT_SUBMITTED)
    assert (row.state, row.attempts, row.last_error) == (MessageState.WAITING, 1, "SMTP 451")
    drain(row.next_attempt_at)
    assert Message.objects.get(pk=row.pk).state == MessageState.DONE
    assert sent[0] == sent[1]


def test_a_connection_lost_after_acceptance_repeats_one_mail_with_the_same_bytes(now: datetime, sink: Sink) -> None:
    scenarios.submitted(now=now)
    sink.hang_up_after_accepting = 1
    drain(now)
    drain(Message.objects.get(kind=Notice.DRAFT_SUBMITTED).next_attempt_at)
    assert kinds(MessageState.DONE) == [Notice.DRAFT_SUBMITTED]
    assert len(sink.accepted) == 2
    assert sink.accepted[0] == sink.accepted[1]


def test_a_refused_recipient_is_given_up_at_once_and_names_no_address(now: datetime, sink: Sink) -> None:
    scenarios.submitted(now=now)
    sink.refuse_recipient = "550 no such mailbox"
    drain(now)
    row = Message.objects.get(kind=Notice.DRAFT_SUBMITTED)
    assert (row.state, row.last_error) == (MessageState.DEAD, "recipient refused: [550]")


def test_a_server_that_is_gone_is_tried_again(now: datetime, sink: Sink, settings) -> None:
    scenarios.submitted(now=now)
    settings.EMAIL_PORT = 1
    drain(now)
    row = Message.objects.get(kind=Notice.DRAFT_SUBMITTED)
    assert (row.state, row.last_error) == (MessageState.WAITING, "ConnectionRefusedError")


def test_one_broken_mail_does_not_stop_the_queue(now: datetime, sink: Sink) -> None:
    scenarios.submitted(now=now)
    scenarios.submitted(RAVI, now=now)
    sink.answer = lambda envelope: "554 spam" if envelope.rcpt_tos == [scenarios.ASHA] else "250 accepted"
    drain(now)
    assert sink.recipients == [[RAVI]]


def test_a_newer_notice_waits_for_the_older_one_in_back_off(now: datetime, sink: Sink) -> None:
    booking = scenarios.submitted(now=now)
    timers.lapse_draft(booking.pk, now=booking.due_at)
    first = Message.objects.get(kind=Notice.DRAFT_STILL_UNVERIFIED)
    Message.objects.filter(pk=first.pk).update(next_attempt_at=booking.due_at + timedelta(minutes=5))
    drain(booking.due_at)
    assert Notice.DRAFT_LAPSED not in kinds(MessageState.DONE)
    drain(booking.due_at + timedelta(minutes=5))
    drain(booking.due_at + timedelta(minutes=5, seconds=2))
    assert kinds(MessageState.DONE) == [Notice.DRAFT_LAPSED]


def test_rows_are_handed_back_when_the_worker_is_asked_to_stop(now: datetime, sink: Sink) -> None:
    scenarios.submitted(now=now)
    stopping.set()
    try:
        drain(now)
    finally:
        stopping.clear()
    row = Message.objects.get(kind=Notice.DRAFT_SUBMITTED)
    assert (row.state, row.attempts, row.lease_expires_at) == (MessageState.WAITING, 0, None)
    assert sink.accepted == []


def test_a_slow_send_cannot_outlive_its_lease() -> None:
    # connect, greeting, MAIL, RCPT, DATA, body: each may wait EMAIL_TIMEOUT, and the hard limit ends them all before
    assert timedelta(seconds=django_settings.CELERY_TASK_SOFT_TIME_LIMIT) < messages.LEASE
