"""What becomes of a row by what its effect answered, or by how that failed."""

from __future__ import annotations

import logging
from datetime import datetime

from backend.core import database_timeouts
from backend.core.errors import OutsideFailure, Permanent, Transient, was_surely_not_sent
from backend.ops.models import AttemptResult
from backend.outbox import attempts
from backend.outbox.attempts import Change, Snooze
from backend.outbox.models import Message, MessageState

log = logging.getLogger("workers.drain")

Answer = MessageState | Snooze


def result(answer: Answer) -> AttemptResult:
    """What the counts call it."""
    return AttemptResult.SNOOZED if isinstance(answer, Snooze) else AttemptResult(answer)


def answered(row: Message, answer: Answer, *, now: datetime) -> Change:
    """Done, not wanted any more, or not yet."""
    if isinstance(answer, Snooze):
        log.info("%s %s: not yet, again at %s", row.kind, row.uuid, answer.until.isoformat())
        return attempts.snooze(row, until=answer.until, now=now)
    log.info("%s %s: %s", row.kind, row.uuid, answer)
    return attempts.settle(row, answer, now=now)


def failed(row: Message, error: Exception, *, now: datetime) -> Change:
    """Given up, or another attempt, as the failure has it; a crash is worth one."""
    has_not_left = was_surely_not_sent(error)
    if isinstance(error, Permanent):
        log.error("%s %s given up: %s", row.kind, row.uuid, error)
        return attempts.give_up(row, str(error), now=now, has_surely_not_left=has_not_left)
    text = str(error) if isinstance(error, Transient) else type(error).__name__
    if isinstance(error, Transient):
        log.warning("%s %s failed, attempt %d: %s", row.kind, row.uuid, row.attempts, error)
    elif database_timeouts.is_timeout(error):
        log.warning("%s %s waited too long for the database, attempt %d", row.kind, row.uuid, row.attempts)
    else:
        log.error("%s %s crashed, attempt %d", row.kind, row.uuid, row.attempts, exc_info=error)
    is_answered = isinstance(error, OutsideFailure) and error.says_it_failed
    return attempts.back_off(row, text, now=now, has_surely_not_left=has_not_left, is_answered=is_answered)
