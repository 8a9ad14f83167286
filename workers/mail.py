"""The mail queue: each notice is read again for truth, frozen, and sent over one kept connection."""

from __future__ import annotations

import logging
import smtplib

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRequestsAPIError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from backend.bookings import links
from backend.core.errors import Permanent, Transient
from backend.notifications import delivery
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from workers.app import app
from workers.drain import drain as drain_queue

log = logging.getLogger(__name__)


@app.task(name="workers.mail.drain")
def drain() -> None:
    """Send what is due."""
    drain_queue(Queue.MAIL, send, helper=drain)


def send(message: Message) -> MessageState:
    """Hand one mail to the provider. Raises Transient or Permanent."""
    context = delivery.prepare(message, now=timezone.now())
    if context is None:
        return MessageState.OBSOLETE
    if message.context is None:
        messages.freeze(message, context, now=timezone.now())
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
            if self._connection is None:
                self._connection = get_connection()
                self._connection.open()
            mail.connection = self._connection
            mail.send()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            self.close()
            raise _classified(error) from error

    def close(self) -> None:
        """Forget the connection; the next mail opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, smtplib.SMTPException):
                log.info("the mail connection was already gone")


def _classified(error: Exception) -> Transient | Permanent:
    """A refusal of this very mail is permanent; all else may pass. The text names no address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        kind = Permanent if codes and all(500 <= code < 600 for code in codes) else Transient
        return kind(f"recipient refused: {codes}")
    if isinstance(error, smtplib.SMTPResponseException):
        is_final = 500 <= error.smtp_code < 600 and not isinstance(error, smtplib.SMTPAuthenticationError)
        return (Permanent if is_final else Transient)(f"SMTP {error.smtp_code}")
    if isinstance(error, AnymailAPIError) and not isinstance(error, AnymailRequestsAPIError):
        return Permanent(type(error).__name__)
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in (401, 403, 408, 429):
        return Permanent(f"HTTP {status}")
    return Transient(f"{type(error).__name__} {status or ''}".strip())


_outlet = MailConnection()
