"""The mail worker against a real SMTP server: once, in order, true when it leaves, and over one connection."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections import Counter
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default as default_policy

import pytest
import requests
import time_machine
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.conf import settings as django_settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError

from backend.bookings.lifecycle import front_desk, timers, visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.core.errors import AccountTrouble, OutsideFailure, Permanent, Transient
from backend.ops import operator_actions
from backend.ops.findings import judge
from backend.ops.snapshot import take_snapshot
from backend.outbox import attempts, messages
from backend.outbox.models import Message, MessageState, PausedQueue, Queue
from tests.support import api, scenarios
from tests.support.mail_sink import Sink
from tests.support.scenarios import RAVI
from workers import batch, mail, mail_failures, smtp
from workers import drain as workers_drain
from workers.smtp import _Phased
from workers.stopping import stopping

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


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


# -- our account's trouble --------------------------------------------------------------------------------------------

QUOTA = "550 5.4.5 Daily sending quota exceeded"


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_a_used_up_quota_gives_up_no_mail_and_all_leave_when_it_is_over(at: str, now: datetime, sink: Sink) -> None:
    if at == "RCPT":
        sink.refuse_recipient = QUOTA
    else:
        sink.answer = lambda _envelope: QUOTA
    for n in range(3):
        scenarios.submitted(f"v{n}@example.org", now=now)
    for seconds in (0, 1, 60, 120, 4000):
        drain(now + timedelta(seconds=seconds))
    rows = list(Message.objects.filter(kind=Notice.DRAFT_SUBMITTED))
    assert {(row.state, row.attempts, row.may_have_left) for row in rows} == {(MessageState.WAITING, 0, False)}
    assert sink.connections == 4  # one each time, and none while it waits
    pause = PausedQueue.objects.get()
    assert (pause.paused_by, pause.paused_at) == (messages.PROVIDER, now)
    assert "550" in pause.reason
    assert "refuses our account" in findings_of(now)
    sink.refuse_recipient, sink.answer = "", lambda _envelope: "250 accepted"
    drain(now + timedelta(seconds=4060))
    assert not PausedQueue.objects.exists()
    drain(now + timedelta(seconds=4061))
    drain(now + timedelta(seconds=4120))
    assert kinds(MessageState.DONE) == [Notice.DRAFT_SUBMITTED] * 3


def findings_of(now: datetime) -> str:
    found = judge(take_snapshot(now=now, with_figures=False))
    return " ".join(finding.text for finding in found if finding.component == "outbox-mail")


def test_one_mail_that_is_taken_for_the_accounts_trouble_does_not_hold_the_others_up(now: datetime, sink: Sink) -> None:
    sink.answer = lambda envelope: QUOTA if envelope.rcpt_tos == [scenarios.ASHA] else "250 accepted"
    row = failed_once(now)
    scenarios.submitted(RAVI, now=now)
    for seconds in (60, 61, 121):
        drain(now + timedelta(seconds=seconds))
    assert sink.recipients == [[RAVI]]
    assert not PausedQueue.objects.exists()
    assert Message.objects.get(pk=row.pk).attempts == 2  # counted once the others went through


OURS, THE_MAILS, PASSING = AccountTrouble, Permanent, Transient
SMTP_ANSWERS = [
    (550, "5.4.5 Daily sending quota exceeded", OURS),
    (454, "4.7.0 Throttling failure: Daily message quota exceeded.", OURS),
    (530, "5.7.0 Authentication Required", OURS),
    (535, "5.7.8 Bad credentials", OURS),
    (550, "5.7.26 Unauthenticated email from example.org is not accepted", OURS),
    (554, "Message rejected: Email address is not verified.", OURS),
    (550, "Account suspended", OURS),
    (550, "5.1.1 No such user", THE_MAILS),
    (552, "5.2.2 The email account that you tried to reach is over quota", THE_MAILS),
    (550, "5.2.1 The account is suspended", THE_MAILS),
    (554, "5.7.1 spam", THE_MAILS),
    (451, "4.3.0 busy", PASSING),
    (452, "4.2.2 mailbox full", PASSING),
]


@pytest.mark.parametrize(("code", "said", "kind"), SMTP_ANSWERS)
def test_an_smtp_answer_is_about_our_account_or_about_this_mail(
    code: int, said: str, kind: type[OutsideFailure]
) -> None:
    at_data = smtplib.SMTPDataError(code, said.encode())
    at_rcpt = smtplib.SMTPRecipientsRefused({"a@example.org": (code, said.encode())})
    for error in (at_data, at_rcpt):
        found = mail_failures.while_sending(error, _Api())
        assert (type(found), found.surely_not_sent, said in str(found)) == (kind, True, False)


@pytest.mark.parametrize(
    ("code", "kind"), [(550, AccountTrouble), (553, AccountTrouble), (552, Permanent), (451, Transient)]
)
def test_a_refused_sender_is_ours_unless_the_mail_is_too_large(code: int, kind: type[OutsideFailure]) -> None:
    assert type(mail_failures.while_sending(smtplib.SMTPSenderRefused(code, b"no", "us"), _Api())) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (smtplib.SMTPAuthenticationError(535, b"no"), AccountTrouble),
        (smtplib.SMTPConnectError(554, b"no service"), AccountTrouble),
        (smtplib.SMTPConnectError(421, b"busy"), Transient),
        (smtplib.SMTPNotSupportedError("STARTTLS"), AccountTrouble),
        (ssl.SSLCertVerificationError(), AccountTrouble),
        (ConnectionRefusedError(), Transient),
    ],
)
def test_a_connection_that_cannot_be_opened_is_no_mails_fault(error: Exception, kind: type[OutsideFailure]) -> None:
    found = mail_failures.at_opening(error)
    assert (type(found), found.surely_not_sent) == (kind, True)


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
    found = mail_failures.while_sending(anymails, _Api())
    assert (type(found), found.surely_not_sent) == (kind, surely_not_sent)


@pytest.mark.parametrize(
    ("status", "kind", "surely_not_sent"),
    [
        (400, Permanent, True),
        (401, AccountTrouble, True),
        (402, AccountTrouble, True),
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
    found = mail_failures.while_sending(AnymailRequestsAPIError("No", response=response), _Api())
    assert (type(found), found.surely_not_sent) == (kind, surely_not_sent)


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, '{"code": "not_enough_credits"}', AccountTrouble),
        (422, '{"ErrorCode": 412, "Message": "Your account is pending approval"}', AccountTrouble),
        (429, '{"name": "daily_quota_exceeded", "message": "You reached your daily email quota"}', AccountTrouble),
        (429, '{"message": "Too many requests"}', Transient),
        (422, '{"message": "The to field is invalid"}', Permanent),
    ],
)
def test_an_http_answer_tells_whose_trouble_it_is(status: int, said: str, kind: type[OutsideFailure]) -> None:
    response = requests.Response()
    response.status_code, response._content = status, said.encode()
    found = mail_failures.while_sending(AnymailRequestsAPIError("No", response=response), _Api())
    assert (type(found), found.surely_not_sent) == (kind, True)


@pytest.mark.parametrize(
    ("code", "status", "kind", "surely_not_sent"),
    [
        ("AccessDeniedException", 403, AccountTrouble, True),
        ("SendingPausedException", 400, AccountTrouble, True),
        ("MessageRejected", 400, Permanent, True),
        ("InternalFailure", 500, Transient, False),
        ("", None, Transient, False),
    ],
)
def test_an_answer_of_aws_is_read_like_any_other(
    code: str, status: int | None, kind: type[OutsideFailure], surely_not_sent: bool
) -> None:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}} if status else None
    found = mail_failures.while_sending(AnymailAPIError("No", response=response), _Api())
    assert (type(found), found.surely_not_sent) == (kind, surely_not_sent)


def test_a_recipient_that_the_provider_refuses_is_given_up() -> None:
    found = mail_failures.while_sending(AnymailRecipientsRefused(), _Api())
    assert (type(found), found.surely_not_sent) == (Permanent, True)


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


def test_a_slow_mail_cannot_outlive_its_lease_nor_a_drain_its_limit() -> None:
    slowest = 2 * django_settings.EMAIL_TIMEOUT + django_settings.EMAIL_ANSWER_TIMEOUT  # connecting, commands, text
    assert timedelta(seconds=slowest) < attempts.LEASE
    assert workers_drain.BUDGET_SECONDS + slowest < mail.drain.soft_time_limit < mail.drain.time_limit
    assert 2 * mail.drain.time_limit < django_settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
