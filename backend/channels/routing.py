"""By which channel a reminder goes: a text where its reader chose one, and the mail only if that is not delivered.

The mail row stays what is owed. When its turn comes it owes a text in its stead, and is planned anew for FALLBACK_AFTER
from then, before which it holds up nothing: that is one transaction. A report that the text was delivered settles it; a
report that it was not, or a text that cannot leave, makes it due at once. When its turn comes again it leaves as any
mail does, if it is still true, and is never routed again. A text that nobody began by then is taken back first, by the
same conditional UPDATE by which a worker begins it: one of them finds it unbegun.

`Message.subject_id` of each names the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from backend.channels import adapters, consents
from backend.channels.channel import ChannelName, Template
from backend.channels.models import Consent, Purpose
from backend.outbox import messages
from backend.outbox.models import Delivery, Message, MessageState, Queue
from backend.outbox.patience import FALLBACK_AFTER, TEXT

BY = "by:"  # and the id of the mail: the dedupe key of a text
LOOKS_AGAIN = timedelta(seconds=5)  # at a text that a worker has in hand


def kind_of(channel: ChannelName, template: Template) -> str:
    """`text:sms:session_approaching`, 48 characters at most."""
    return f"{TEXT}:{channel}:{template}"


def parse_kind(kind: str) -> tuple[ChannelName, Template]:
    """Raises ValueError for one of another release."""
    _, channel, template = kind.split(":")
    return ChannelName(channel), Template(template)


def is_text(message: Message) -> bool:
    """Whether it goes to a telephone."""
    return message.kind.startswith(f"{TEXT}:")


def of_channel(channel: ChannelName) -> Q:
    """Rows of its texts."""
    return Q(queue=Queue.CALLS, kind__startswith=f"{TEXT}:{channel}:")


@dataclass(frozen=True)
class Outlook:
    """What is known of some mails at once: who chose a channel, and the texts that were owed in their stead."""

    consents: Mapping[int, Consent]  # by client
    texts: Mapping[int, Message]  # by the mail


NOTHING = Outlook({}, {})


def look(mails: Collection[tuple[Message, int | None]]) -> Outlook:
    """At mails with the clients whom they are about. One query for each side that there is anything of.

    None, where no channel is configured.
    """
    reminders = [(mail, client) for mail, client in mails if mail.kind in set(Template)]
    routed = [mail.pk for mail, _ in reminders if mail.subject_id is not None]
    unrouted = [client for mail, client in reminders if client is not None and mail.subject_id is None]
    clients = set(unrouted if adapters.configured() else ())
    if not routed and not clients:
        return NOTHING
    owed = Message.objects.filter(dedupe_key__in=[f"{BY}{pk}" for pk in routed]) if routed else ()
    chosen = consents.of(clients, Purpose.REMINDERS) if clients else {}
    return Outlook(chosen, {text.subject_id or 0: text for text in owed})


def turn(mail: Message, client_id: int | None, outlook: Outlook, *, now: datetime) -> datetime | MessageState | None:
    """What becomes of a mail that is due and true: None, it leaves; until when it was planned; or DONE, it was texted.

    The caller holds its lease, and no longer where it was planned.
    """
    text = outlook.texts.get(mail.pk)
    if text is not None:
        return _fall_back(mail, text, now=now)
    stands = outlook.consents.get(client_id or 0)
    may_be_routed = mail.subject_id is None and not mail.may_have_left
    if stands is None or not may_be_routed or stands.channel not in adapters.configured():
        return None
    return _route(mail, ChannelName(stands.channel), now=now)


def _route(mail: Message, channel: ChannelName, *, now: datetime) -> datetime:
    """Owe a text instead, and plan the mail for later. Who lost the lease does neither."""
    until = now + FALLBACK_AFTER
    with transaction.atomic():
        uuid = messages.emit(
            queue=Queue.CALLS,
            kind=kind_of(channel, Template(mail.kind)),
            dedupe_key=f"{BY}{mail.pk}",
            now=now,
            booking_id=mail.booking_id,
            subject_id=mail.pk,
            ledger_sequence=mail.ledger_sequence,
        )
        text = Message.objects.filter(uuid=uuid).values_list("pk", flat=True).first()
        if text is None or not _plan(mail, until, subject_id=text):
            transaction.set_rollback(True)
    return until


def _plan(mail: Message, until: datetime, **more: object) -> bool:
    """Not due before then, so that no younger notice waits for it. Its lease ends here: from now on a report counts."""
    held = Message.objects.filter(pk=mail.pk, fence=mail.fence, state=MessageState.WAITING)
    planned = {"not_before": until, "next_attempt_at": until, "lease_expires_at": None, "fence": F("fence") + 1}
    return held.update(**planned, **more) == 1


def _fall_back(mail: Message, text: Message, *, now: datetime) -> datetime | MessageState | None:
    if text.delivery == Delivery.DELIVERED:
        return MessageState.DONE
    if text.delivery == Delivery.BOUNCED or text.state not in (MessageState.WAITING, MessageState.DONE):
        return None
    if text.state == MessageState.WAITING:
        return None if take_back(text, now=now) else _later(mail, now + LOOKS_AGAIN)
    until = (text.settled_at or now) + FALLBACK_AFTER
    return _later(mail, until) if now < until <= now + FALLBACK_AFTER else None


def _later(mail: Message, until: datetime) -> datetime:
    _plan(mail, until)
    return until


def take_back(text: Message, *, now: datetime) -> bool:
    """It will not leave: the mail does. False: it may have left."""
    unbegun = Message.objects.filter(pk=text.pk, state=MessageState.WAITING, hand_overs=0)
    settled = {"state": MessageState.OBSOLETE, "settled_at": now, "lease_expires_at": None, "fence": F("fence") + 1}
    return unbegun.update(**settled, last_error="not begun in time; mailed instead") == 1


# -- told by whoever has the text --------------------------------------------------------------------------------------


def mail_of(text: Message) -> Message | None:
    """The mail that still waits for what becomes of this text; None: it was settled, or left."""
    return _waiting(text).defer("context").first()


def mail_now(text: Message, *, now: datetime) -> bool:
    """The text does not reach anybody: its mail is due."""
    return _waiting(text).filter(not_before__gt=now).update(not_before=now, next_attempt_at=now) == 1


def note_told(text: Message, *, now: datetime) -> bool:
    """The text was delivered: its mail need not leave. A worker that is about to send it loses it."""
    channel, _ = parse_kind(text.kind)
    settled = {"state": MessageState.DONE, "settled_at": now, "lease_expires_at": None, "fence": F("fence") + 1}
    return _waiting(text).update(**settled, last_error=f"told by {channel}") == 1


def _waiting(text: Message) -> QuerySet[Message]:
    return Message.objects.filter(
        pk=text.subject_id or 0, subject_id=text.pk, queue=Queue.MAIL, state=MessageState.WAITING
    )
