"""Whether a mail whose attempt failed may have left, and what becomes of it."""

from __future__ import annotations

import smtplib
import socket
import threading
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default as default_policy

import pytest

from backend.bookings.lifecycle import front_desk, visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.ops import operator_actions
from backend.outbox.models import Message, MessageState
from tests.support import scenarios
from tests.support.mail_sink import Sink
from tests.support.mail_worker import drain, failed_once, kinds
from tests.support.scenarios import RAVI
from workers import mail
from workers.smtp import _Phased

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.mark.parametrize(("at", "may_have_left"), [("MAIL", False), ("RCPT", False), ("DATA", True)])
def test_a_connection_that_breaks_may_have_taken_the_mail_only_once_its_text_had_begun(
    at: str, may_have_left: bool, now: datetime, sink: Sink
) -> None:
    scenarios.submitted(RAVI, now=now)
    drain(now)  # so that the connection is a kept one
    sink.hang_up_at = at
    row = failed_once(now)
    assert (row.state, row.attempts, row.may_have_left) == (MessageState.WAITING, 1, may_have_left)
    sink.hang_up_at = ""
    drain(row.next_attempt_at)
    assert Message.objects.get(pk=row.pk).state == MessageState.DONE


@pytest.mark.parametrize("answer", ["451 busy", "421 going down", "554 spam"])
def test_an_answer_that_says_no_has_surely_not_taken_it(answer: str, now: datetime, sink: Sink) -> None:
    sink.answer = lambda _envelope: answer
    assert not failed_once(now).may_have_left


@pytest.mark.parametrize("refusal", ["450 later", "550 no such mailbox"])
def test_a_refused_recipient_has_surely_got_nothing(refusal: str, now: datetime, sink: Sink) -> None:
    sink.refuse_recipient = refusal
    assert not failed_once(now).may_have_left


@pytest.mark.parametrize("changes", [{"EMAIL_PORT": 1}, {"EMAIL_HOST": "nobody.invalid"}, {"EMAIL_USE_TLS": True}])
def test_a_server_that_is_not_reached_has_surely_not_taken_it(
    changes: dict[str, object], now: datetime, sink: Sink, settings
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    row = failed_once(now)
    assert (row.state, row.may_have_left) == (MessageState.WAITING, False)


def test_a_log_in_that_is_refused_has_surely_sent_nothing(now: datetime, sink: Sink, settings) -> None:
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "somebody"  # in clear: the sink has no TLS
    row = failed_once(now)
    assert (row.attempts, row.may_have_left, row.last_error) == (0, False, "SMTPNotSupportedError")


def test_no_password_leaves_without_encryption_whatever_the_server_offers() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = _Phased(timeout=0.2)
        connection.sock, connection.ehlo_resp, connection.esmtp_features = ours, b"here", {"auth": "PLAIN"}
        connection._begin_phase(0.2)
        with pytest.raises(smtplib.SMTPNotSupportedError):
            connection.login("app", "secret")
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_a_server_that_does_not_answer_the_text_may_have_taken_it(now: datetime, sink: Sink, settings) -> None:
    settings.EMAIL_ANSWER_TIMEOUT = 0.2
    sink.stalled.set()
    row = failed_once(now)
    assert (row.state, row.may_have_left) == (MessageState.WAITING, True)


def test_a_mail_that_was_sent_has_left_and_one_that_was_overtaken_has_not(now: datetime, sink: Sink) -> None:
    booking = scenarios.submitted(now=now)
    visitor.verify_email(scenarios.token_of(booking), now=now)
    drain(now)
    assert not Message.objects.get(kind=Notice.DRAFT_SUBMITTED).may_have_left
    assert Message.objects.get(kind=Notice.BOOKING_RECEIVED).may_have_left


def test_what_surely_has_not_left_says_what_is_so_when_it_leaves(now: datetime, sink: Sink) -> None:
    sink.answer = lambda _envelope: "451 busy"
    row = failed_once(now)
    sink.answer = lambda _envelope: "250 accepted"
    booking = Booking.objects.get(pk=row.booking_id)
    front_desk.extend_deadline(booking.pk, State.DRAFT, timedelta(hours=6), actor="staff:desk", now=now)
    drain(row.next_attempt_at)
    said = Message.objects.get(pk=row.pk)
    assert said.context["confirm_by"] == formatting.day_and_time(booking.due_at + timedelta(hours=6))
    assert said.frozen_at == row.next_attempt_at
    assert len(sink.accepted) == 1
    assert Message.objects.filter(kind=Notice.DRAFT_SUBMITTED).count() == 1


def test_what_may_have_left_is_not_sent_with_other_words_but_another_takes_its_place(now: datetime, sink: Sink) -> None:
    sink.hang_up_after_accepting = 1
    row = failed_once(now)
    booking = Booking.objects.get(pk=row.booking_id)
    front_desk.extend_deadline(booking.pk, State.DRAFT, timedelta(hours=6), actor="staff:desk", now=now)
    drain(row.next_attempt_at)
    drain(row.next_attempt_at + timedelta(seconds=2))
    assert Message.objects.get(pk=row.pk).state == MessageState.OBSOLETE
    anew = Message.objects.exclude(pk=row.pk).get(kind=Notice.DRAFT_SUBMITTED)
    assert (anew.state, anew.dedupe_key, anew.created_at) == (MessageState.DONE, f"anew:{row.pk}", row.created_at)
    assert sorted(sink.times_sent().values()) == [1, 1]  # two mails, each once
    text = message_from_bytes(sink.accepted[1], policy=default_policy).get_body(("plain",)).get_content()
    assert "This mail takes the place of an earlier one, if that has reached you." in text
    token = text.split("/verify-email?token=")[1].split()[0]
    assert visitor.verify_email(token, now=now).pk == booking.pk


def test_what_may_have_left_twice_is_not_sent_a_third_time_until_somebody_says_so(now: datetime, sink: Sink) -> None:
    sink.hang_up_after_accepting = 2
    row = failed_once(now)
    drain(row.next_attempt_at)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.hand_overs) == (MessageState.UNKNOWN, 2, 2)
    drain(now + timedelta(hours=2))
    assert len(sink.accepted) == 2
    assert operator_actions.redrive(row.pk, actor="staff:asha", now=row.next_attempt_at)
    drain(row.next_attempt_at)
    assert Message.objects.get(pk=row.pk).state == MessageState.DONE
    assert sink.times_sent().most_common(1)[0][1] == 3


def test_a_crash_before_the_mail_leaves_is_no_doubt(now: datetime, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(mail.delivery, "compose", lambda *_: 1 / 0)
        row = failed_once(now)
    assert (row.state, row.hand_overs, row.may_have_left) == (MessageState.WAITING, 0, False)


def test_a_slow_answer_to_the_text_is_waited_for(now: datetime, sink: Sink, settings) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    sink.stalled.set()
    threading.Timer(0.6, sink.stalled.clear).start()
    scenarios.submitted(now=now)
    drain(now)
    assert kinds(MessageState.DONE) == [Notice.DRAFT_SUBMITTED]
    assert len(sink.accepted) == 1


def test_a_connection_that_the_server_closed_meanwhile_fails_no_mail(now: datetime, sink: Sink) -> None:
    scenarios.submitted(RAVI, now=now)
    drain(now)
    sink.close_idle()
    row = failed_once(now)
    assert (row.state, row.last_error, sink.connections) == (MessageState.DONE, "", 2)
