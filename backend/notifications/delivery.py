"""What a mail says and whether it is still true: judged when it leaves, not when it was owed.

`prepare` reads the booking again and returns what the templates need, or None when the notice has been overtaken;
`compose` makes the mail of what `prepare` once said. Between the two stands the outbox row, which keeps the first
attempt's words for every retry. They hold no token, no line of the visitor's message and no line of an enquiry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from backend.bookings import links
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import LINKS_CARRIED, Notice
from backend.core.errors import Permanent, required
from backend.notifications import enquiries
from backend.notifications.calendar_invite import calendar_invite
from backend.notifications.notification_context import NotificationContext, TemplateContext
from backend.notifications.rendering import ReproducibleMail, domain, render
from backend.notifications.rules import PROMISED, RULES
from backend.notifications.visitor_context import base_context
from backend.outbox.models import Message, MessageState
from backend.outbox.renewals import is_anew


def held_until(message: Message, *, now: datetime) -> datetime | None:
    """While the last decision about its booking can be undone nobody is told anything of it, and nothing is judged."""
    if message.booking_id is None:
        return None
    booking = Booking.objects.only("undo_until").filter(pk=message.booking_id, undo_until__gt=now).first()
    return None if booking is None else booking.undoable_until(now)


def prepare(message: Message, *, now: datetime) -> TemplateContext | None:
    """The context of the mail's templates; None when it is no longer true and must not be sent.

    Until an attempt may have left, each says what is so by then; afterwards the first words are repeated, or nothing.
    """
    notice = Notice(message.kind)
    if notice == Notice.NOTHING_OPEN:  # speaks of no booking
        return message.context or base_context()
    if notice == Notice.STAFF_ENQUIRY_RECEIVED:
        return enquiries.enquiry_reference(message)
    notification = _true_occasion(message, now=now)
    if notification is None:
        return None
    if message.context is None or not message.may_have_left:
        return _facts(notification)
    return message.context if _keeps_its_word(notification) else None


def is_planned_in_vain(message: Message, booking: Booking, *, now: datetime) -> bool:
    """Whether a mail planned for later is overtaken already: it will settle unsent, unless its booking comes back."""
    is_planned = message.state == MessageState.WAITING and message.not_before > now and message.kind in RULES
    return is_planned and _true_of(booking, message, now=message.not_before) is None


def is_owed_anew(message: Message, *, now: datetime) -> bool:
    """Whether it is true as ever, but may have left with words that are not: then another takes its place."""
    if message.kind not in RULES or message.context is None or not message.may_have_left:
        return False
    notification = _true_occasion(message, now=now)
    return notification is not None and not _keeps_its_word(notification)


def compose(message: Message, tokens: Mapping[str, str]) -> EmailMultiAlternatives:
    """The mail, from the frozen context: the same bytes on every call. Raises Permanent when a link of it is gone."""
    context = dict(required(message.context, "frozen context", message))
    frozen_at = required(message.frozen_at, "frozen_at", message)
    notice = Notice(message.kind)
    if notice == Notice.STAFF_ENQUIRY_RECEIVED:
        context |= base_context() | enquiries.enquiry_context(message)
    context |= _addresses(notice, context, tokens)
    mail = ReproducibleMail(
        render(notice, context),
        to=message.recipient,
        uuid=message.uuid,
        dated=frozen_at,
        correlation_id=message.correlation_id,
    )
    if notice in WITH_INVITATION and context["is_confirmed"]:
        sequence = message.ledger_sequence or 0
        entry = calendar_invite(context, domain=domain(), sequence=sequence, stamped_at=frozen_at)
        mail.attach("appointment.ics", entry, "text/calendar")
    return mail


WITH_INVITATION = (Notice.BOOKING_CONFIRMED, Notice.LATE_PAYMENT_BOOKED, Notice.BOOKING_MOVED)


def _true_occasion(message: Message, *, now: datetime) -> NotificationContext | None:
    """The notice's booking read again; None when the notice is no longer true."""
    if message.booking_id is None:
        return None
    rows = Booking.objects.select_related("psychologist").defer("user_message")
    booking = rows.filter(pk=message.booking_id).first()
    return None if booking is None else _true_of(booking, message, now=now)


def _true_of(booking: Booking, message: Message, *, now: datetime) -> NotificationContext | None:
    notification = NotificationContext(booking, message, now)
    return notification if RULES[Notice(message.kind)].is_true(notification) else None


def _facts(notification: NotificationContext) -> TemplateContext:
    facts = base_context() | {"is_anew": is_anew(notification.message)}
    for build in RULES[Notice(notification.message.kind)].context:
        facts |= build(notification)
    return facts


def _keeps_its_word(notification: NotificationContext) -> bool:
    """Whether what the frozen words promise is what they would have promised then, had all been as it is now.

    Judged at the instant of the freezing, so that time alone breaks no promise. What was left unsaid was none, and what
    is no longer spoken of (the time to pay, once it is paid) was right when it was said.
    """
    message = notification.message
    said: TemplateContext = required(message.context, "frozen context", message)
    would_say = _facts(replace(notification, now=required(message.frozen_at, "frozen_at", message)))
    promised = (name for build in RULES[Notice(message.kind)].context for name in PROMISED.get(build, ()))
    return all(would_say.get(name, said[name]) == said[name] for name in promised if said.get(name, "") != "")


def _addresses(notice: Notice, context: TemplateContext, tokens: Mapping[str, str]) -> TemplateContext:
    """Where this notice's links lead. Raises Permanent when a token is missing."""
    cancel = ("cancel_url", f"{settings.PUBLIC_URL}/go/cancel/")
    places = {
        Purpose.BOOKING: ("booking_url", f"{settings.FRONTEND_URL}/verify-email"),
        Purpose.CANCEL: cancel,
        Purpose.CANCEL_LATE: cancel,
        Purpose.RESCHEDULE: ("reschedule_url", f"{settings.PUBLIC_URL}/go/reschedule/"),
        Purpose.AGAIN: ("again_url", f"{settings.PUBLIC_URL}/go/again/"),
    }
    found: TemplateContext = {}
    must_have = LINKS_CARRIED.get(notice, ())
    for purpose in (*must_have, *(one for one in places if one in tokens and one not in must_have)):
        if purpose == Purpose.ALTERNATIVE:
            found["alternatives"] = [_with_address(row, tokens) for row in _rows(context, "alternatives")]
            continue
        token = tokens.get(purpose)
        if not token:
            raise Permanent(f"the {purpose} link that this mail carries is gone", surely_not_sent=True)
        name, place = places[purpose]
        found[name] = f"{place}?token={token}"
    return found


def _rows(context: TemplateContext, name: str) -> list[TemplateContext]:
    rows = context.get(name, [])
    assert isinstance(rows, list)
    return rows


def _with_address(row: TemplateContext, tokens: Mapping[str, str]) -> TemplateContext:
    """One of the times offered, with its own link. Raises Permanent when the token is missing."""
    token = tokens.get(links.alternative_token_name(int(str(row["number"]))))
    if not token:
        raise Permanent("the link of a time that this mail offers is gone", surely_not_sent=True)
    return {**row, "url": f"{settings.PUBLIC_URL}/go/alternative/?token={token}"}
