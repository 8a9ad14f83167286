"""The mail queue: each notice is read again for truth, frozen, and sent over one kept connection."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from anymail.exceptions import AnymailError
from anymail.message import AnymailStatus
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from backend.bookings import links
from backend.bookings.lifecycle import renewal
from backend.bookings.links import Tokens
from backend.bookings.notices import Notice, can_be_told
from backend.channels import routing
from backend.core.errors import Transient, before_it_leaves
from backend.core.meanwhile import InUse
from backend.core.statements import Row
from backend.notifications import delivery, readings
from backend.notifications.notification_context import TemplateContext
from backend.notifications.readings import Reading
from backend.notifications.rules import is_of_its_bookings_alone
from backend.outbox import attempts, by_telephone, closed_mailboxes
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState, Queue
from workers import calendar_parts, mail_failures
from workers.app import app
from workers.batch import Foreseen
from workers.drain import drain as drain_queue
from workers.mail_outlets import Outlets
from workers.outcomes import Answer
from workers.smtp import EmailBackend

log = logging.getLogger(__name__)
ID_LONGEST = Message._meta.get_field("provider_message_id").max_length


# a drain's budget and the slowest mail, whose three phases may take 80 s, end before the soft limit
@app.task(name="workers.mail.drain", soft_time_limit=100, time_limit=120)
def drain() -> None:
    """Send what is due."""
    drain_queue(Queue.MAIL, send, helper=drain, look_ahead=look_ahead)


def look_ahead(mails: Sequence[Message]) -> dict[int, Answer | Foreseen]:
    """What becomes of them by one reading of their bookings and links; of some it cannot be said so early."""
    now = timezone.now()
    foreseeable = [mail for mail in mails if is_of_its_bookings_alone(Notice(mail.kind))]
    reading = readings.read(foreseeable)
    tokens = links.tokens_of_all([mail.uuid for mail in foreseeable])
    known = _Known.of(foreseeable, reading)
    ahead: dict[int, Answer | Foreseen] = {}
    for mail in foreseeable:
        try:
            found = _judged(mail, known, now=now)
        except Exception as error:  # noqa: BLE001  # it fails once more in an attempt of its own, which is counted
            log.info("%s %s is not foreseen: %s", mail.kind, mail.uuid, type(error).__name__)
            continue
        if isinstance(found, dict):
            _say(mail, found, now=now)
            if (waits := _outlets.route.choose(mail, now=now)) is not None:
                ahead[mail.pk] = waits
                continue
            letter = _Letter(mail, tokens[mail.uuid])
            effect = partial(_send_as_foreseen, letter, reading)
            ahead[mail.pk] = Foreseen(effect, readings.question(mail), letter.prepare)
        else:
            ahead[mail.pk] = found
    return ahead


def send(message: Message) -> MessageState | Snooze:
    """Hand one mail to the provider. Not yet, while a decision can be undone; what is told by telephone waits for us.

    Raises OutsideFailure.
    """
    with before_it_leaves():
        now = timezone.now()
        found = _judged(message, _Known.of([message], readings.read([message])), now=now)
        if not isinstance(found, dict):
            return found
        _say(message, found, now=now)
        if (waits := _outlets.route.choose(message, now=now)) is not None:
            return waits
        mail = delivery.compose(message, links.tokens_of(message.uuid))
        if not attempts.write([attempts.hand_over(message)]):
            raise Transient("another worker has it by now")
    return _outlets.send(message, mail) or MessageState.DONE


class _Letter:
    """A mail of words that are known, made while the database stores that it leaves."""

    def __init__(self, message: Message, tokens: Tokens) -> None:
        self.message, self._tokens = message, tokens
        self._made: EmailMultiAlternatives | None = None
        self._failure: Exception | None = None

    def prepare(self) -> None:
        """Unless more is to be read for it."""
        if not delivery.is_of_its_words_alone(self.message):
            return
        try:
            self._made = self._composed()
        except SoftTimeLimitExceeded:  # it is the drain that has taken too long
            raise
        except InUse:
            log.warning("%s %s asks the database for more than its words", self.message.kind, self.message.uuid)
        except Exception as error:  # noqa: BLE001  # raised in its attempt
            self._failure = error

    def made(self) -> EmailMultiAlternatives:
        """The mail. Raises Permanent when a link of it is gone."""
        if self._failure is not None:
            raise self._failure
        return self._made or self._composed()

    def _composed(self) -> EmailMultiAlternatives:
        return delivery.compose(self.message, self._tokens())


def _send_as_foreseen(letter: _Letter, reading: Reading, found: Sequence[Row] | None) -> Answer:
    """The same with words that were handed over as the attempt began, unless its bookings have changed since."""
    message = letter.message
    with before_it_leaves():
        mail = letter.made() if reading.is_so_still(message, found) else None
    if mail is None:
        return send(message)
    return _outlets.send(message, mail) or MessageState.DONE


def _say(message: Message, words: TemplateContext, *, now: datetime) -> None:
    if words != message.context:
        message.context, message.frozen_at = words, now


@dataclass(frozen=True)
class _Known:
    """Of some mails: their bookings, which mailboxes are closed, and what goes to telephones in their stead."""

    reading: Reading
    closed: Mapping[str, datetime]
    outlook: routing.Outlook

    @classmethod
    def of(cls, mails: Sequence[Message], reading: Reading) -> _Known:
        closed = closed_mailboxes.closed([mail.recipient for mail in mails])
        return cls(reading, closed, routing.look([(mail, reading.client_id(mail)) for mail in mails]))


def _judged(message: Message, known: _Known, *, now: datetime) -> Answer | TemplateContext:
    """What is to be sent; or why nothing is, now or ever."""
    reading = known.reading
    held_until = delivery.held_until(message, now=now, reading=reading)
    if held_until is not None:
        return Snooze(held_until)
    context = delivery.prepare(message, now=now, reading=reading)
    if context is None:
        if delivery.is_owed_anew(message, now=now, reading=reading):
            renewal.renew(message.pk, now=now)
        return MessageState.OBSOLETE
    routed = routing.turn(message, reading.client_id(message), known.outlook, now=now)
    if routed is not None:
        return routed if isinstance(routed, MessageState) else Snooze(routed, is_written=True)
    if by_telephone.is_told(message) or (_is_stopped(message, known) and by_telephone.turn(message)):
        return by_telephone.waits(now=now)
    return context


def _is_stopped(message: Message, known: _Known) -> bool:
    """Whether mail does not reach its reader, as far as all the bookings know that it is about."""
    since = known.closed.get(message.mailbox)
    if since is None or not can_be_told(message.kind):
        return False
    proved = [booking.verified_at for booking, _ in known.reading.subjects(message)]
    return bool(proved) and all(closed_mailboxes.concerns(since, proved_at=at) for at in proved)


class MailConnection:
    """One connection to the provider, kept by each worker process and opened anew after any failure."""

    def __init__(self, connect: Callable[[], BaseEmailBackend] = get_connection) -> None:
        self._connect = connect
        self._connection: BaseEmailBackend | None = None

    def send(self, mail: EmailMultiAlternatives) -> str:
        """The provider's id of the mail, if it gave one.

        Raises OutsideFailure; never both sends and raises, as far as the provider's answer tells.
        """
        try:
            connection = self._opened()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            self.close()
            raise mail_failures.at_opening(error) from error
        try:
            mail.connection = connection
            calendar_parts.fit(mail, connection)
            mail.send()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            failure = mail_failures.while_sending(error, connection)
            self.close()
            raise failure from error
        return provider_message_id(mail)

    def _opened(self) -> BaseEmailBackend:
        if isinstance(self._connection, EmailBackend) and not self._connection.is_usable():
            self.close()  # the server tired of waiting for us; over HTTP, urllib3 looks before each request
        if self._connection is None:
            self._connection = self._connect()
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


def provider_message_id(mail: EmailMultiAlternatives) -> str:
    """By which a provider that is asked over HTTP will report what becomes of it; SMTP has none."""
    status: AnymailStatus | None = getattr(mail, "anymail_status", None)
    return str(status.message_id or "")[:ID_LONGEST] if status else ""


def _fallback() -> BaseEmailBackend:
    options: dict[str, Any] = settings.EMAIL_FALLBACK
    connection: BaseEmailBackend = get_connection("workers.smtp.EmailBackend", **options)
    return connection


_outlet = MailConnection()
_outlets = Outlets(_outlet, MailConnection(_fallback))
