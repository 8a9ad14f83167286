"""Notices that an intent enqueues: to the visitor, an address, staff or a psychologist."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from backend.bookings import links, policy
from backend.bookings.guarantees import held_session, psychologist_of
from backend.bookings.machine import State
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import TOGETHER, Notice, links_carried
from backend.core import batched_writes
from backend.core.errors import required
from backend.core.statements import Statement, run
from backend.outbox import bundles, messages
from backend.outbox.models import Message, MessageState, Queue
from backend.people.models import Psychologist

STRANGERS_NOTICES = (Notice.DRAFT_SUBMITTED, Notice.ALREADY_BOOKED, Notice.LINK_REQUESTED, Notice.NOTHING_OPEN)
STAFFS_NOTICES_BY_STRANGERS = (Notice.STAFF_CANCELLATION_REQUESTED, Notice.STAFF_ENQUIRY_RECEIVED)


def notify_visitor(
    booking: Booking,
    notice: Notice,
    *,
    now: datetime,
    not_before: datetime | None = None,
    once_per: str = "",
    is_within_limits: bool | None = None,
) -> bool:
    """Enqueue a notice for the visitor about the last ledger row. False: over the limit, so it is only recorded.

    Without an address it is told by telephone, and carries no link; who was erased is told nothing. `once_per`
    replaces the ledger's sequence in the dedupe key, for notices that no transition causes. The limit is asked for
    here, unless the caller knows the answer.
    """
    if booking.purged_at is not None:
        return False
    if is_within_limits is None:
        is_within_limits = notice not in STRANGERS_NOTICES or _within_limits(booking.email, now)
    suppressed = not is_within_limits
    message_uuid = messages.emit(
        queue=Queue.MAIL,
        kind=notice,
        dedupe_key=f"booking:{booking.pk}:{notice}:{once_per or booking.ledger_sequence}",
        now=now,
        not_before=_held(booking, not_before or now),
        recipient=booking.email,
        booking_id=booking.pk,
        ledger_sequence=booking.ledger_sequence,
        suppressed=suppressed,
    )
    if booking.email and not suppressed:
        links.issue(booking, *links_carried(notice, booking.state), message_uuid=message_uuid, now=now)
    return not suppressed


def notify_address(
    address: str, notice: Notice, *, now: datetime, once_per: str, known_by: Booking | None = None
) -> None:
    """Enqueue a notice to an address that has no open booking, within the limits; it costs what one with a link does.

    Of whom we know an earlier booking, it brings the link to what is kept of them.
    """
    suppressed = not _within_limits(address, now)
    message_uuid = messages.emit(
        queue=Queue.MAIL,
        kind=notice,
        dedupe_key=f"address:{notice}:{once_per}",
        now=now,
        recipient=address,
        suppressed=suppressed,
    )
    if suppressed:
        return
    if known_by is None:
        links.issue_in_vain(message_uuid, now=now)
    else:
        links.issue(known_by, Purpose.DATA, message_uuid=message_uuid, now=now)


def notify_staff(
    booking: Booking, notice: Notice, *, now: datetime, not_before: datetime | None = None, to: str = ""
) -> UUID:
    """Enqueue a notice for the practice's inbox, or for `to`; it names the booking's id and no person.

    What a stranger can cause is limited by the inbox: beyond, it is only recorded, and the desk shows what it says.
    """
    recipient = to or settings.STAFF_INBOX
    return messages.emit(
        queue=Queue.MAIL,
        kind=notice,
        dedupe_key=f"booking:{booking.pk}:{notice}:{booking.ledger_sequence}",
        now=now,
        not_before=_held(booking, not_before or now),
        recipient=recipient,
        booking_id=booking.pk,
        ledger_sequence=booking.ledger_sequence,
        suppressed=notice in STAFFS_NOTICES_BY_STRANGERS and not staff_have_room(recipient, now),
    )


def notify_psychologist(booking: Booking, notice: Notice, *, now: datetime, who: Psychologist | None = None) -> None:
    """Enqueue a notice for the booking's psychologist, or for `who`, if somebody else had it before.

    Who gives the session gets the way into its room.
    """
    psychologist = who or psychologist_of(booking)
    message_uuid = notify_staff(booking, notice, now=now, to=psychologist.email)
    links.issue(booking, *links_carried(notice, booking.state), message_uuid=message_uuid, now=now)


def notify_confirmed(booking: Booking, *, now: datetime, notice: Notice = Notice.BOOKING_CONFIRMED) -> None:
    """The confirmation to both sides, and the session's reminders; of one that cannot be held, what is so instead."""
    with batched_writes.batch():
        if booking.choose_by is not None:
            notify_choice(booking, now=now)
            return
        notify_visitor(booking, notice, now=now)
        notify_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, now=now)
        enqueue_reminders(booking, now=now)


def bundle(bookings: Iterable[Booking]) -> None:
    """What the last step of each of these bookings owes to one reader, in the caller's transaction, becomes one mail.

    Each reminder, and what is told of a sum of money, stays a mail of its own.
    """
    steps = {booking.pk: booking.ledger_sequence for booking in bookings}
    owed = Message.objects.filter(booking_id__in=steps, queue=Queue.MAIL, kind__in=TOGETHER, state=MessageState.WAITING)
    readers: dict[tuple[str, Notice, datetime], list[Message]] = {}
    for row in owed.order_by("booking_id", "pk"):
        if row.ledger_sequence == steps[row.booking_id or 0]:
            readers.setdefault((row.recipient, TOGETHER[Notice(row.kind)], row.not_before), []).append(row)
    for (_, notice, _), rows in readers.items():
        if len(rows) > 1:
            key = f"series:{rows[0].booking_id}:{notice}:{rows[0].ledger_sequence}"
            bundles.join(rows, kind=notice, dedupe_key=key)


def notify_choice(booking: Booking, *, now: datetime) -> None:
    """The visitor is to choose another time, and is reminded of that; a confirmed session's psychologist hears."""
    ends_at = required(booking.choose_by, "choose_by", booking)
    notify_visitor(booking, Notice.CHOICE_OFFERED, now=now)
    reminds_at = policy.choice_reminder(now, ends_at)
    if now < reminds_at < ends_at:
        notify_visitor(booking, Notice.CHOICE_STILL_OPEN, now=now, not_before=reminds_at)
    if booking.state == State.CONFIRMED:
        notify_psychologist(booking, Notice.PSYCHOLOGIST_CHOICE_OFFERED, now=now)


def enqueue_reminders(booking: Booking, *, now: datetime) -> None:
    """The session's reminders, as far as their time is still ahead."""
    starts_at = held_session(booking).start
    for notice, before in (
        (Notice.SESSION_APPROACHING, policy.REMIND_FIRST),
        (Notice.SESSION_IMMINENT, policy.REMIND_LAST),
    ):
        if starts_at - before > now:
            notify_visitor(booking, notice, now=now, not_before=starts_at - before)


def _held(booking: Booking, due: datetime) -> datetime:
    """Nobody is told of a decision while it can still be undone."""
    return due if booking.undo_until is None else max(due, booking.undo_until)


def asked_to_cancel_too_often(booking: Booking, *, now: datetime) -> bool:
    """The booking's lock is held, so that two askers at once are counted one after the other."""
    sent = Message.objects.filter(
        booking_id=booking.pk, kind=Notice.CANCELLATION_REQUESTED, created_at__gt=now - timedelta(hours=1)
    ).exclude(dedupe_key__startswith=messages.ANEW)
    return sent.count() >= policy.CANCEL_LINKS_PER_HOUR


def staff_have_room(inbox: str, now: datetime) -> bool:
    """Whether one more mail that a stranger causes stays within what an inbox of staff takes."""
    return messages.is_within_limits(
        STAFFS_NOTICES_BY_STRANGERS,
        inbox,
        now=now,
        hourly=policy.STAFF_MAILS_PER_HOUR,
        daily=policy.STAFF_MAILS_PER_DAY,
    )


def strangers_limit(address: str, *, now: datetime) -> tuple[Statement[None], Statement[bool]]:
    """Whether one more mail that a stranger causes stays within what an address takes, as `messages.limit` says it."""
    hourly, daily = policy.STRANGER_MAILS_PER_HOUR, policy.STRANGER_MAILS_PER_DAY
    return messages.limit(STRANGERS_NOTICES, address, now=now, hourly=hourly, daily=daily)


def _within_limits(address: str, now: datetime) -> bool:
    return bool(run(*strangers_limit(address, now=now))[-1])
