"""Whether a provider's answer is about our account or about this mail, and what waits meanwhile."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime, timedelta

import pytest
import requests
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.core.mail.backends.base import BaseEmailBackend
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError

from backend.bookings.notices import Notice
from backend.core.errors import AccountTrouble, OutsideFailure, Permanent, Transient
from backend.ops.findings import judge
from backend.ops.snapshot import take_snapshot
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, PausedQueue
from tests.support import scenarios
from tests.support.mail_sink import Sink
from tests.support.mail_worker import drain, failed_once, kinds
from tests.support.scenarios import RAVI
from workers import mail_failures

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
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
