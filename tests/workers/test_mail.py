"""The mail worker against a real SMTP server: once, in order, true when it leaves, and over one connection."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default as default_policy

import pytest
import requests
import time_machine
from anymail.exceptions import AnymailRequestsAPIError
from django.conf import settings as django_settings
from django.core.mail.backends.base import BaseEmailBackend
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError

from backend.bookings.lifecycle import front_desk, timers, visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.core.errors import OutsideFailure, Permanent, Transient
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


# -- whether it may have left -----------------------------------------------------------------------------------------


def failed_once(now: datetime) -> Message:
    booking = scenarios.submitted(now=now)
    drain(now)
    return Message.objects.get(booking_id=booking.pk, kind=Notice.DRAFT_SUBMITTED)


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
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "somebody"  # to a server that knows no log-in
    assert not failed_once(now).may_have_left


def test_a_server_that_does_not_answer_the_text_may_have_taken_it(now: datetime, sink: Sink, settings) -> None:
    settings.EMAIL_TIMEOUT = 1
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


HTTP = [
    (requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError())), Transient, True),
    (requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "refused"))), Transient, True),
    (requests.ConnectionError(ProtocolError("Connection aborted.")), Transient, False),
    (requests.ReadTimeout(), Transient, False),
]


@pytest.mark.parametrize(("error", "kind", "surely_not_sent"), HTTP)
def test_a_request_that_fails_may_have_been_taken_unless_it_was_never_connected(
    error: Exception, kind: type[OutsideFailure], surely_not_sent: bool
) -> None:
    anymails = type("Failed", (AnymailRequestsAPIError, type(error)), {})("Error posting")
    anymails.__cause__ = error
    found = mail._failure_of(anymails, _Api())
    assert (type(found), found.surely_not_sent) == (kind, surely_not_sent)


@pytest.mark.parametrize(
    ("status", "kind", "surely_not_sent"),
    [
        (400, Permanent, True),
        (401, Transient, True),
        (429, Transient, True),
        (500, Transient, False),
        (504, Transient, False),
    ],
)
def test_an_http_answer_that_says_no_is_a_refusal_and_one_of_a_broken_server_is_none(
    status: int, kind: type[OutsideFailure], surely_not_sent: bool
) -> None:
    response = requests.Response()
    response.status_code = status
    found = mail._failure_of(AnymailRequestsAPIError("No", response=response), _Api())
    assert (type(found), found.surely_not_sent) == (kind, surely_not_sent)


class _Api(BaseEmailBackend):
    """A provider that is asked over HTTP."""


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
