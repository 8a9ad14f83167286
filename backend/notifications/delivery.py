"""What a mail says and whether it is still true: judged when it leaves, not when it was owed.

`prepare` reads the booking again and returns what the templates need, or None when the notice has been overtaken;
`compose` makes the mail of what `prepare` once said. Between the two stands the outbox row, which keeps the first
attempt's words for every retry. They hold no token, no line of the visitor's message and no line of an enquiry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from django.core.mail import EmailMultiAlternatives

from backend.bookings import policy
from backend.bookings.models import Booking
from backend.bookings.notices import OF_A_PERSON, Notice
from backend.core import formatting
from backend.core.encryption import Unreadable
from backend.core.errors import Permanent, required
from backend.notifications import calendar_parts, data_requests, enquiries, invitations, reader, receipts, series
from backend.notifications.mailed_links import addresses
from backend.notifications.notification_context import ContextBuilder, NotificationContext, TemplateContext
from backend.notifications.readings import Reading, read
from backend.notifications.rendering import ReproducibleMail, render
from backend.notifications.rules import PROMISED, RULES, NoticeRule
from backend.notifications.visitor_context import base_context
from backend.outbox.models import Message, MessageState
from backend.outbox.renewals import is_anew
from backend.payments import upi


def held_until(message: Message, *, now: datetime, reading: Reading | None = None) -> datetime | None:
    """While the last decision about its booking can be undone nobody is told anything of it, and nothing is judged.

    And for a moment, while the receipt that it shall bring is being made.
    """
    if message.booking_id is None:
        return None
    about = [booking for booking, _ in (reading or read([message])).subjects(message)]
    undoable = max((until for booking in about if (until := booking.undoable_until(now))), default=None)
    return undoable or receipts.awaited_until(message, about, now=now)


def prepare(message: Message, *, now: datetime, reading: Reading | None = None) -> TemplateContext | None:
    """The context of the mail's templates; None when it is no longer true and must not be sent.

    Until an attempt may have left, each says what is so by then; afterwards the first words are repeated, or nothing.
    Raises Permanent when those cannot be read.
    """
    if isinstance(message.context, Unreadable):
        raise Permanent("what it said cannot be read; is FIELD_KEY complete?")
    reading = reading or read([message])
    with reader.of(message, reading):
        return _prepared(message, reading, now=now)


def _prepared(message: Message, reading: Reading, *, now: datetime) -> TemplateContext | None:
    notice = Notice(message.kind)
    if notice == Notice.NOTHING_OPEN:  # speaks of no booking
        return message.context or base_context() | {"data_link_lifetime": formatting.span(policy.DATA_LINK_LIFETIME)}
    if notice == Notice.STAFF_ENQUIRY_RECEIVED:
        return enquiries.enquiry_reference(message)
    if notice in OF_A_PERSON:
        return data_requests.request_context(message, now=now)
    if notice == Notice.STAFF_INVITED:
        return invitations.invitation(message, now=now)
    notifications = _true_occasions(message, reading, now=now)
    if not notifications:
        return None
    if message.context is None or not message.may_have_left:
        return _facts(notifications)
    return message.context if _keeps_its_word(message, notifications, reading) else None


def is_planned_in_vain(message: Message, booking: Booking, *, now: datetime) -> bool:
    """Whether a mail planned for later is overtaken already: it will settle unsent, unless its booking comes back."""
    is_planned = message.state == MessageState.WAITING and message.not_before > now and message.kind in RULES
    return is_planned and _true_of(booking, message, now=message.not_before) is None


def is_owed_anew(message: Message, *, now: datetime, reading: Reading | None = None) -> bool:
    """Whether it is true as ever, but may have left with words that are not: then another takes its place."""
    if message.kind not in RULES or message.context is None or not message.may_have_left:
        return False
    reading = reading or read([message])
    with reader.of(message, reading):
        return _is_anew(message, reading, now=now)


def _is_anew(message: Message, reading: Reading, *, now: datetime) -> bool:
    notifications = _true_occasions(message, reading, now=now)
    return bool(notifications) and not _keeps_its_word(message, notifications, reading)


def compose(message: Message, tokens: Mapping[str, str]) -> EmailMultiAlternatives:
    """The mail, from the frozen context: the same bytes on every call. Raises Permanent when a link of it is gone."""
    with reader.as_frozen(message):
        return _composed(message, tokens)


def is_of_its_words_alone(message: Message) -> bool:
    """Whether `compose` reads nothing but them: no receipt, and no links of several sessions."""
    context = required(message.context, "frozen context", message)
    return "sessions" not in context and not receipts.is_attached(context)


def _composed(message: Message, tokens: Mapping[str, str]) -> EmailMultiAlternatives:
    context = dict(required(message.context, "frozen context", message))
    frozen_at = required(message.frozen_at, "frozen_at", message)
    notice = Notice(message.kind)
    if notice == Notice.STAFF_ENQUIRY_RECEIVED:
        context |= base_context() | enquiries.enquiry_context(message)
    if notice == Notice.STAFF_INVITED:
        context |= invitations.invitation_link(message, now=frozen_at)
    if "sessions" in context:
        context |= series.summary(context) | series.addresses(notice, context)
    else:
        context |= addresses(notice, context, tokens)
    mail = ReproducibleMail(
        render(notice, context),
        to=message.recipient,
        uuid=message.uuid,
        dated=frozen_at,
        correlation_id=message.correlation_id,
    )
    told = series.sessions(context) if "sessions" in context else [context]
    calendar_parts.attach(mail, told, stamped_at=frozen_at)
    if "upi" in context:
        mail.attach(upi.PICTURE_NAME, upi.png(str(context["upi"])), "image/png")
    receipts.attach(mail, context)
    return mail


def _true_occasions(message: Message, reading: Reading, *, now: datetime) -> list[NotificationContext]:
    """Of the notice's bookings, by time, those of which it is true."""
    told = [found for booking, one in reading.subjects(message) if (found := _true_of(booking, one, now=now))]
    return sorted(told, key=lambda one: (one.booking.slot_start or now, one.booking.pk))


def _true_of(booking: Booking, message: Message, *, now: datetime) -> NotificationContext | None:
    notification = NotificationContext(booking, message, now)
    return notification if RULES[Notice(message.kind)].is_true(notification) else None


def _facts(notifications: list[NotificationContext]) -> TemplateContext:
    """Of one booking, or what is said once and what of each."""
    first = notifications[0]
    rule = RULES[Notice(first.message.kind)]
    facts = base_context() | {"is_anew": is_anew(first.message)}
    if not rule.shared:
        return facts | _built(rule.context, first)
    each = [{**_built(rule.context, one), **series.identity(one.message)} for one in notifications]
    return {**facts, **_built(rule.shared, first), "sessions": each}


def _built(builders: Iterable[ContextBuilder], notification: NotificationContext) -> TemplateContext:
    facts: TemplateContext = {}
    for build in builders:
        facts |= build(notification)
    return facts


def _keeps_its_word(message: Message, notifications: list[NotificationContext], reading: Reading) -> bool:
    """Whether what the frozen words promise is what they would have promised then, had all been as it is now.

    Judged at the instant of the freezing, so that time alone breaks no promise. What was left unsaid was none, and what
    is no longer spoken of (the time to pay, once it is paid) was right when it was said. Of several bookings, each that
    was spoken of would be, too.
    """
    said: TemplateContext = required(message.context, "frozen context", message)
    frozen_at = required(message.frozen_at, "frozen_at", message)
    rule = RULES[Notice(message.kind)]
    if not rule.shared:
        at_the_freezing = replace(notifications[0], now=frozen_at)
        return _promises_the_same(rule, said, _built(rule.context, at_the_freezing))
    then = _true_occasions(message, reading, now=frozen_at)
    would_say = {str(one.message.uuid): _built(rule.context, one) for one in then}
    told = {str(one["uuid"]): one for one in series.sessions(said)}
    return told.keys() == would_say.keys() and all(
        _promises_the_same(rule, one, would_say[uuid]) for uuid, one in told.items()
    )


def _promises_the_same(rule: NoticeRule, said: TemplateContext, would_say: TemplateContext) -> bool:
    promised = (name for build in rule.context for name in PROMISED.get(build, ()))
    return all(would_say.get(name, said[name]) == said[name] for name in promised if said.get(name, "") != "")
