"""The mail queue: each notice is read again for truth, frozen, and sent over one kept connection."""

from __future__ import annotations

import logging
import smtplib

import requests
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRequestsAPIError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from backend.bookings import links
from backend.bookings.lifecycle import renewal
from backend.core.errors import Permanent, Transient
from backend.core.outgoing import never_connected
from backend.notifications import delivery
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from workers.app import app
from workers.drain import drain as drain_queue
from workers.smtp import EmailBackend

log = logging.getLogger(__name__)


@app.task(name="workers.mail.drain")
def drain() -> None:
    """Send what is due."""
    drain_queue(Queue.MAIL, send, helper=drain)


def send(message: Message) -> MessageState:
    """Hand one mail to the provider. Raises Transient or Permanent."""
    now = timezone.now()
    context = delivery.prepare(message, now=now)
    if context is None:
        if delivery.is_owed_anew(message, now=now):
            renewal.renew(message.pk, now=now)
        return MessageState.OBSOLETE
    if context != message.context:
        messages.freeze(message, context, now=now)
    mail = delivery.compose(message, links.tokens_of(message.uuid))
    _outlet.send(mail)
    return MessageState.DONE


class MailConnection:
    """One connection to the provider, kept by each worker process and opened anew after any failure."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def send(self, mail: EmailMultiAlternatives) -> None:
        """Raises Transient or Permanent; never both sends and raises, as far as the provider's answer tells."""
        try:
            connection = self._opened()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            self.close()
            raise _classified(error, surely_not_sent=True) from error
        try:
            mail.connection = connection
            mail.send()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            failure = _failure_of(error, connection)
            self.close()
            raise failure from error

    def _opened(self) -> BaseEmailBackend:
        if self._connection is None:
            self._connection = get_connection()
            self._connection.open()
        return self._connection

    def close(self) -> None:
        """Forget the connection; the next mail opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, smtplib.SMTPException):
                log.info("the mail connection was already gone")


def _failure_of(error: Exception, connection: BaseEmailBackend) -> Transient | Permanent:
    return _classified(error, surely_not_sent=_surely_not_sent(error, connection))


def _surely_not_sent(error: Exception, connection: BaseEmailBackend) -> bool:
    """Whether it failed before acceptance: with an answer that says no, or before the text began to leave.

    A time-out or a lost connection after that, or an HTTP answer from 500 on, may hide an acceptance.
    """
    if isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
        return True
    if isinstance(error, requests.RequestException) and never_connected(error):
        return True
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return 400 <= status < 500
    return isinstance(connection, EmailBackend) and not connection.text_begun()


def _classified(error: Exception, *, surely_not_sent: bool) -> Transient | Permanent:
    """A refusal of this very mail is permanent; all else may pass. The text names no address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        kind = Permanent if codes and all(500 <= code < 600 for code in codes) else Transient
        return kind(f"recipient refused: {codes}", surely_not_sent=surely_not_sent)
    if isinstance(error, smtplib.SMTPResponseException):
        is_final = 500 <= error.smtp_code < 600 and not isinstance(error, smtplib.SMTPAuthenticationError)
        return (Permanent if is_final else Transient)(f"SMTP {error.smtp_code}", surely_not_sent=surely_not_sent)
    if isinstance(error, AnymailAPIError) and not isinstance(error, AnymailRequestsAPIError):
        return Permanent(type(error).__name__, surely_not_sent=surely_not_sent)
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in (401, 403, 408, 429):
        return Permanent(f"HTTP {status}", surely_not_sent=surely_not_sent)
    return Transient(f"{type(error).__name__} {status or ''}".strip(), surely_not_sent=surely_not_sent)


_outlet = MailConnection()
