"""What operators can do: each act is one transaction, recorded with who and when, and safe when two press at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from backend.ops.models import Act, Timer, Verb
from backend.outbox import messages
from backend.outbox.models import GIVEN_UP, Message, MessageState, Queue

AT_ONCE = 1000  # dead letters that one press moves; more would outlive the request
PER_MINUTE = 60  # letters a minute that a re-drive of many lets go, unless told otherwise


def dead_letters(*, queue: str = "", kind: str = "", reason: str = "") -> QuerySet[Message]:
    """Rows that were given up, oldest first. `reason` is a part of the last error."""
    rows = Message.objects.filter(state__in=GIVEN_UP).order_by("pk")
    if queue:
        rows = rows.filter(queue=queue)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.filter(last_error__icontains=reason) if reason else rows


def redrive(message_id: int, *, actor: str, now: datetime, due_at: datetime | None = None) -> bool:
    """Try a dead letter again, with fresh attempts. False: somebody else was first, or its address is blanked."""
    with transaction.atomic():
        if not messages.redrive(message_id, now=now, due_at=due_at):
            return False
        _record(Verb.REDRIVE, _kind(message_id), actor=actor, now=now, message_id=message_id)
    return True


def redrive_many(message_ids: Iterable[int], *, per_minute: int, actor: str, now: datetime) -> int:
    """Try these again, one after the other at this rate, so that a provider just mended is not flooded. How many."""
    if per_minute < 1:
        raise ValueError("at least one letter a minute")
    done = 0
    for message_id in message_ids:
        due_at = now + done * timedelta(minutes=1) / per_minute
        done += redrive(message_id, actor=actor, now=now, due_at=due_at)
    return done


def discard(message_id: int, *, reason: str, actor: str, now: datetime) -> bool:
    """A dead letter is not wanted any more. False: somebody else was first."""
    with transaction.atomic():
        if not messages.discard(message_id):
            return False
        _record(Verb.DISCARD, _kind(message_id), actor=actor, now=now, message_id=message_id, reason=reason)
    return True


def discard_many(message_ids: Iterable[int], *, reason: str, actor: str, now: datetime) -> int:
    """Discard these, for one reason. How many."""
    return sum(discard(message_id, reason=reason, actor=actor, now=now) for message_id in message_ids)


def release_lease(message_id: int, *, actor: str, now: datetime) -> bool:
    """Take a row out of a worker's hands. False: it is in nobody's."""
    with transaction.atomic():
        if not messages.release_lease(message_id, now=now):
            return False
        _record(Verb.RELEASE, _kind(message_id), actor=actor, now=now, message_id=message_id)
    return True


def leased(*, now: datetime) -> QuerySet[Message]:
    """Rows in workers' hands, those held longest first."""
    return Message.objects.filter(state=MessageState.WAITING, lease_expires_at__gt=now).order_by("lease_expires_at")


def run_timer(name: str, *, actor: str, now: datetime) -> bool:
    """Ask the next free timers worker for a run now. False: it was asked for already."""
    with transaction.atomic():
        Timer.objects.bulk_create([Timer(name=name)], ignore_conflicts=True)
        if not Timer.objects.filter(pk=name, asked_at=None).update(asked_at=now, asked_by=actor):
            return False
        _record(Verb.RUN_TIMER, name, actor=actor, now=now)
    return True


def pause(queue: Queue, *, reason: str, actor: str, now: datetime) -> bool:
    """Claim nothing more of a queue. False: it was paused already."""
    with transaction.atomic():
        if not messages.pause(queue, by=actor, reason=reason, now=now):
            return False
        _record(Verb.PAUSE, queue.value, actor=actor, now=now, reason=reason)
    return True


def resume(queue: Queue, *, actor: str, now: datetime) -> bool:
    """Claim again. False: it was not paused."""
    with transaction.atomic():
        if not messages.resume(queue):
            return False
        _record(Verb.RESUME, queue.value, actor=actor, now=now)
    return True


def _kind(message_id: int) -> str:
    return Message.objects.values_list("kind", flat=True).get(pk=message_id)


def _record(
    verb: Verb, subject: str, *, actor: str, now: datetime, message_id: int | None = None, reason: str = ""
) -> None:
    Act.objects.create(at=now, actor=actor, verb=verb, subject=subject, message_id=message_id, reason=reason)
