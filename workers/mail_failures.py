"""What a failed mail means: refused for good, worth another try, or the trouble of our account with the provider.

The account's trouble (a used-up quota, a wrong key, an unpaid bill) is met by every mail: it waits, and no mail is
given up for it. No text quotes the provider, whose answers may name an address.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterable

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
)
from django.core.mail.backends.base import BaseEmailBackend

from backend.core.errors import AccountTrouble, OutsideFailure, Permanent, Transient
from backend.core.outgoing.failures import never_connected
from workers.smtp import EmailBackend

LOG_IN = (530, 534, 535, 538)  # RFC 4954: no mail is taken from us before we have logged in
TOO_LARGE = 552
OF_THE_RECIPIENT = re.compile(r"\b[45]\.(1\.(?!8\b)|2\.)")  # RFC 3463: of the address, of the mailbox
OF_THE_ACCOUNT = re.compile(
    r"(quota|limit|credits?)\W+(\w+\W+){0,4}(send|sent|dai|hour|month|account|plan|message|exceed|used)"
    r"|(send|sent|dai|hour|month|account|plan|message)\w*\W+(\w+\W+){0,4}(quota|limit|credits?)\b"
    r"|(not_enough|no|insufficient|out of)[ _]credits?|limitexceeded|suspend|sendingpaused|unpaid|billing"
    r"|authenticat|not (yet )?(verified|activated)|pending approval|under.validation|\b[45]\.4\.5\b",
    re.IGNORECASE,
)
OURS = (401, 402, 403, 404, 405)  # key, bill, permission, address of the API
MAY_PASS = (408, 425, 429)
AWS_NEVER_CONNECTED = ("ConnectTimeoutError", "EndpointConnectionError", "ProxyConnectionError")


def at_opening(error: Exception) -> OutsideFailure:
    """Of a connection that could not be opened: no mail's own fault, and nothing has left."""
    if isinstance(error, smtplib.SMTPResponseException) and 400 <= error.smtp_code < 500:
        return Transient(f"SMTP {error.smtp_code}", surely_not_sent=True)
    if isinstance(error, smtplib.SMTPResponseException):
        return AccountTrouble(f"SMTP {error.smtp_code} at the log-in", surely_not_sent=True)
    if isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLCertVerificationError | AnymailConfigurationError):
        return AccountTrouble(type(error).__name__, surely_not_sent=True)
    return Transient(type(error).__name__, surely_not_sent=True)


def while_sending(error: Exception, connection: BaseEmailBackend) -> OutsideFailure:
    """Of a mail that the connection did not take, or took without saying so."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = list(error.recipients.values())
        return _smtp(answers, f"recipient refused: {[code for code, _ in answers]}")
    if isinstance(error, smtplib.SMTPSenderRefused) and 500 <= error.smtp_code != TOO_LARGE:
        return AccountTrouble(f"sender refused: SMTP {error.smtp_code}", surely_not_sent=True)
    if isinstance(error, smtplib.SMTPResponseException):
        return _smtp([(error.smtp_code, error.smtp_error)], f"SMTP {error.smtp_code}")
    if isinstance(error, AnymailError):
        return _over_http(error)
    surely_not_sent = isinstance(connection, EmailBackend) and not connection.text_begun()
    return Transient(type(error).__name__, surely_not_sent=surely_not_sent)


def _smtp(answers: Iterable[tuple[int, bytes | str]], text: str) -> OutsideFailure:
    """An answer is a no, so that surely nothing was taken."""
    answers = list(answers)
    if any(_is_of_account(code, answer) for code, answer in answers):
        return AccountTrouble(text, surely_not_sent=True)
    is_final = bool(answers) and all(500 <= code < 600 for code, _ in answers)
    return (Permanent if is_final else Transient)(text, surely_not_sent=True)


def _is_of_account(code: int, answer: bytes | str) -> bool:
    said = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return code in LOG_IN or bool(OF_THE_ACCOUNT.search(said) and not OF_THE_RECIPIENT.search(said))


def _over_http(error: AnymailError) -> OutsideFailure:
    status, said = _answer(error)
    text = f"HTTP {status}" if status else type(error).__name__
    if status is None or status < 400:
        return _without_answer(error, text)
    if status >= 500:
        return Transient(text, says_it_failed=True)
    if status in OURS or OF_THE_ACCOUNT.search(said):
        return AccountTrouble(text, surely_not_sent=True)
    return (Transient if status in MAY_PASS else Permanent)(text, surely_not_sent=True)


def _without_answer(error: AnymailError, text: str) -> OutsideFailure:
    """It was refused before it left, or in an answer that could be read, or nobody knows."""
    if isinstance(error, AnymailConfigurationError):
        return AccountTrouble(text, surely_not_sent=True)
    if isinstance(error, AnymailRecipientsRefused) or not isinstance(error, AnymailAPIError):
        return Permanent(text, surely_not_sent=True)
    if isinstance(error, AnymailRequestsAPIError):
        is_known = isinstance(error, requests.RequestException) and never_connected(error)
    else:
        is_known = type(error.__cause__).__name__ in AWS_NEVER_CONNECTED
    return Transient(text, surely_not_sent=is_known)


def _answer(error: AnymailError) -> tuple[int | None, str]:
    """Status and text of the provider's answer, be it requests' or AWS'."""
    response = error.response
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status, str(response.get("Error", ""))
    return error.status_code, getattr(response, "text", "") or ""
