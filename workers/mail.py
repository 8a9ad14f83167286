"""The mail queue: each notice is read again for truth, frozen, and sent over one kept connection."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime

from anymail.exceptions import AnymailError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from backend.bookings import links
from backend.bookings.lifecycle import renewal
from backend.core.errors import Transient, before_it_leaves
from backend.notifications import delivery
from backend.notifications.notification_context import TemplateContext
from backend.outbox import by_telephone, messages
from backend.outbox.messages import Snooze
from backend.outbox.models import Message, MessageState, Queue
from workers import mail_failures
from workers.app import app
from workers.drain import drain as drain_queue
from workers.smtp import EmailBackend

log = logging.getLogger(__name__)


# a drain's budget and the slowest mail, whose three phases may take 80 s, end before the soft limit
@app.task(name="workers.mail.drain", soft_time_limit=100, time_limit=120)
def drain() -> None:
    """Send what is due."""
    drain_queue(Queue.MAIL, send, helper=drain)


def send(message: Message) -> MessageState | Snooze:
    """Hand one mail to the provider. Not yet, while a decision can be undone; what is told by telephone waits for us.

    Raises OutsideFailure.
    """
    with before_it_leaves():
        now = timezone.now()
        held_until = delivery.held_until(message, now=now)
        if held_until is not None:
            return Snooze(held_until)
        context = delivery.prepare(message, now=now)
        if context is None:
            if delivery.is_owed_anew(message, now=now):
                renewal.renew(message.pk, now=now)
            return MessageState.OBSOLETE
        if by_telephone.is_told(message):
            return by_telephone.waits(now=now)
        mail = _composed(message, context, now=now)
        if not messages.hand_over(message):
            raise Transient("another worker has it by now")
    _outlet.send(mail)
    return MessageState.DONE


def _composed(message: Message, context: TemplateContext, *, now: datetime) -> EmailMultiAlternatives:
    if context != message.context:
        message.context, message.frozen_at = context, now
    return delivery.compose(message, links.tokens_of(message.uuid))


class MailConnection:
    """One connection to the provider, kept by each worker process and opened anew after any failure."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def send(self, mail: EmailMultiAlternatives) -> None:
        """Raises OutsideFailure; never both sends and raises, as far as the provider's answer tells."""
        try:
            connection = self._opened()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            self.close()
            raise mail_failures.at_opening(error) from error
        try:
            mail.connection = connection
            mail.send()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            failure = mail_failures.while_sending(error, connection)
            self.close()
            raise failure from error

    def _opened(self) -> BaseEmailBackend:
        if isinstance(self._connection, EmailBackend) and not self._connection.is_usable():
            self.close()  # the server tired of waiting for us; over HTTP, urllib3 looks before each request
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


_outlet = MailConnection()
