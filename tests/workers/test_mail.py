"""The mail worker against a real SMTP server: once, in order, true when it leaves, and over one connection."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default as default_policy
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.bookings.lifecycle import front_desk, timers, visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.outbox import attempts, messages
from backend.outbox.models import Message, MessageState, Queue
from tests.support import api, scenarios
from tests.support.mail_sink import Sink
from tests.support.mail_worker import drain, kinds
from tests.support.scenarios import RAVI
from workers import batch, mail, smtp
from workers import drain as workers_drain
from workers.stopping import stopping

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


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


def test_a_server_that_takes_one_command_at_a_time_gets_the_same_bytes(sink: Sink) -> None:
    headers = {"Message-ID": "<1@example.org>", "Date": "Mon, 23 Nov 2026 04:30:00 +0000"}
    for sink.takes_together in (True, False):
        with get_connection("workers.smtp.EmailBackend") as opened:
            EmailMessage("Hello", ".\n..a", "us@example.org", [RAVI], headers=headers, connection=opened).send()
    assert (len(sink.accepted), len(set(sink.accepted)), sink.recipients) == (2, 1, [[RAVI], [RAVI]])


@pytest.mark.parametrize("text", [b"", b".", b".a\r\n..b\r\n\r\nc.\r\n", b"a\r\n.\r\nb", b"a\r\n\r\n"])
def test_no_line_of_a_mail_is_taken_for_its_end(text: bytes) -> None:
    lines = smtp._as_data(text).split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert [line.removeprefix(b".") if line.startswith(b".") else line for line in lines[:-2]] == (
        text.removesuffix(b"\r\n").split(b"\r\n")
    )
    assert b"." not in lines[:-2]


def test_a_mail_costs_two_statements_and_a_batch_some_more(
    now: datetime, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "LOOK_LASTS", 3600.0)  # however busy this machine is
    for n in range(messages.BATCHES[Queue.MAIL]):
        scenarios.submitted(f"v{n}@example.org", now=now)
    drain(now - timedelta(seconds=1))  # which connects, and words what it asks for
    with CaptureQueriesContext(connection) as asked:
        drain(now)
    assert len(sink.accepted) == messages.BATCHES[Queue.MAIL]
    assert len(asked) <= 3 * len(sink.accepted)
    of_a_mail = Counter(query["sql"] for query in asked if query["sql"].lstrip().startswith(("WITH given", "SELECT")))
    assert len(asked) - 2 * len(sink.accepted) < 30, of_a_mail.most_common(5)


def test_what_changes_while_a_batch_is_under_way_is_not_sent_as_it_was(
    now: datetime, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "LOOK_LASTS", 3600.0)  # however busy this machine is
    _, later, proved = (scenarios.submitted(f"{name}@example.org", now=now) for name in ("first", "later", "proved"))
    sent = mail._outlet.send

    def send(message: EmailMultiAlternatives) -> None:
        if message.to == ["first@example.org"]:
            front_desk.extend_deadline(later.pk, State.DRAFT, timedelta(hours=6), actor="staff:desk", now=now)
            visitor.verify_email(scenarios.token_of(proved), now=now)
        sent(message)

    monkeypatch.setattr(mail._outlet, "send", send)
    drain(now)
    mails = {row.recipient: row for row in Message.objects.filter(kind=Notice.DRAFT_SUBMITTED).order_by("pk")}
    assert {name: row.state for name, row in mails.items()} == {
        "first@example.org": MessageState.DONE,
        "later@example.org": MessageState.DONE,
        "proved@example.org": MessageState.OBSOLETE,
    }
    deadline = formatting.day_and_time(Booking.objects.get(pk=later.pk).due_at)
    assert mails["later@example.org"].context["confirm_by"] == deadline
    assert deadline in message_from_bytes(sink.accepted[1], policy=default_policy).get_body(("plain",)).get_content()
    assert [(row.attempts, row.hand_overs, row.may_have_left) for row in mails.values()] == [
        (1, 1, True),
        (1, 1, True),
        (1, 0, False),  # it was begun, and nothing had left
    ]


def test_a_mail_that_breaks_as_it_is_foreseen_breaks_no_other(
    now: datetime, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, _ = (scenarios.submitted(f"{name}@example.org", now=now) for name in ("broken", "whole"))
    judged = mail._judged

    def breaks(message: Message, *given: Any, **options: Any) -> Any:
        if message.booking_id == broken.pk:
            raise KeyError("a fault of ours")
        return judged(message, *given, **options)

    monkeypatch.setattr(mail, "_judged", breaks)
    rows = list(Message.objects.filter(kind=Notice.DRAFT_SUBMITTED).order_by("pk"))
    assert list(mail.look_ahead(rows)) == [rows[1].pk]
    drain(now)
    states = {
        row.recipient: (row.state, row.attempts) for row in Message.objects.filter(pk__in=[row.pk for row in rows])
    }
    assert states == {
        "broken@example.org": (MessageState.WAITING, 1),
        "whole@example.org": (MessageState.DONE, 1),
    }


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


def test_a_slow_mail_cannot_outlive_its_lease_nor_a_drain_its_limit() -> None:
    slowest = 2 * django_settings.EMAIL_TIMEOUT + django_settings.EMAIL_ANSWER_TIMEOUT  # connecting, commands, text
    assert timedelta(seconds=slowest) < attempts.LEASE
    assert workers_drain.BUDGET_SECONDS + slowest < mail.drain.soft_time_limit < mail.drain.time_limit
    assert 2 * mail.drain.time_limit < django_settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
