"""Claimed rows worked off: what became of one and the beginning of the next are written in one statement."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from django.db import DatabaseError
from django.utils import timezone

from backend.core import correlation, database_timeouts
from backend.core.errors import AccountTrouble
from backend.core.meanwhile import meanwhile
from backend.core.statements import Row
from backend.ops.models import AttemptResult
from backend.outbox import attempts, messages, order
from backend.outbox.attempts import Change, Snooze
from backend.outbox.held_rows import Question
from backend.outbox.models import Message, MessageState, Queue
from backend.outbox.order import TURN as TURN
from workers import outcomes
from workers.outcomes import Answer

log = logging.getLogger("workers.drain")

Effect: TypeAlias = Callable[[], Answer]
Perform: TypeAlias = Callable[[Message], Answer]


def _nothing() -> None:
    """Where there is nothing to prepare."""


@dataclass(frozen=True)
class Foreseen:
    """An effect whose words are on the row. It is given what its question found right after the beginning was stored.

    None where it was not asked, or is no longer fresh. `prepare` is done while the database stores the beginning, or
    not at all, and may not ask it.
    """

    effect: Callable[[Sequence[Row] | None], Answer]
    question: Question | None = None
    prepare: Callable[[], None] = _nothing


# Of some rows, before their turn: the answer that needs no attempt, or what is done in one
LookAhead: TypeAlias = Callable[[Sequence[Message]], Mapping[int, Answer | Foreseen]]

LOOK_LASTS = 1.0  # seconds; then order and words are read anew for the rest of the batch
SETTLE_TRIES = 5  # waits of DATABASE_LOCK_TIMEOUT: longer than DATABASE_IDLE_TIMEOUT lets a frozen process hold a row


class Batch:
    """The rows of one claim. `results` has what became of those that were begun, or looked at."""

    def __init__(self, rows: Sequence[Message], perform: Perform, look_ahead: LookAhead, *, is_trial: bool) -> None:
        self.results: list[AttemptResult] = []
        self.is_refused = False  # by the provider, who takes nothing from our account: the rest need not ask
        self._rows = deque(rows)
        self._perform, self._look_ahead, self._is_trial = perform, look_ahead, is_trial
        self._looked_at = float("-inf")
        self._elders: Mapping[int, set[int]] = {}
        self._ahead: dict[int, Foreseen] = {}
        self._unwritten: list[Change] = []
        self._settled: set[int] = set()

    def work_off(self, *, may_go_on: Callable[[], bool]) -> None:
        """One row after the other, as long as we may; those that were not begun are handed back."""
        while self._rows and may_go_on() and not self.is_refused:
            if time.monotonic() - self._looked_at >= LOOK_LASTS:
                self._look()
            else:
                self._take(self._rows.popleft())
        self._unwritten += attempts.hand_back(self._rows)
        self._write()

    # -- before their turn ---------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """At all that is left: which wait for others, which are not wanted any more, and what the rest will say."""
        now = timezone.now()
        self._looked_at = time.monotonic()
        rows = list(self._rows)
        self._elders = order.elders(rows, now=now)
        ours = {row.pk for row in rows} | self._settled
        unhindered = [row for row in rows if self._elders[row.pk] <= ours]
        # what a worker left in the middle is begun before anything else is done with it: it may be what ended him
        ahead = self._foreseen([row for row in unhindered if not row.was_left])
        self._ahead = {pk: found for pk, found in ahead.items() if isinstance(found, Foreseen)}
        self._rows = deque(row for row in unhindered if row.pk in self._ahead or row.pk not in ahead)
        hindered = order.next_looks([row for row in rows if row not in unhindered], self._elders, now=now)
        for row in rows:
            if row.pk in hindered:
                self._unwritten.append(attempts.postpone(row, until=hindered[row.pk]))
            elif (answer := ahead.get(row.pk)) is not None and not isinstance(answer, Foreseen):
                self._note(row, answer)
        self._write()

    def _foreseen(self, rows: Sequence[Message]) -> Mapping[int, Answer | Foreseen]:
        try:
            return self._look_ahead(rows)
        except Exception:  # one broken row must not keep the others: each is looked at in its own attempt
            log.exception("nothing is foreseen of %d rows", len(rows))
            return {}

    # -- in their turn -------------------------------------------------------------------------------------------------

    def _take(self, row: Message) -> None:
        correlation.begin(row.correlation_id, task=f"workers.{row.queue}.drain", message=str(row.uuid), kind=row.kind)
        if self._waits(row):
            self._unwritten.append(attempts.postpone(row, until=timezone.now() + TURN))
            return
        end = attempts.exhausted(row, now=timezone.now())
        if end is not None:
            self._unwritten.append(end)
            return
        foreseen = self._ahead.pop(row.pk, None)
        beginning = attempts.begin(row, now=timezone.now(), hands_over=foreseen is not None)
        with meanwhile(foreseen.prepare if foreseen else _nothing):
            is_ours, found = self._write(beginning, foreseen.question if foreseen else None)
        if is_ours:
            self._try(row, partial(foreseen.effect, found) if foreseen else partial(self._perform, row))

    def _waits(self, row: Message) -> bool:
        """For an elder that is not settled; of this batch, not before that is written."""
        elders = self._elders[row.pk] - self._settled
        if elders & {change.message.pk for change in self._unwritten}:
            self._write()
        return bool(elders - self._settled)

    def _try(self, row: Message, effect: Effect) -> None:
        try:
            answer = effect()
        except AccountTrouble as error:
            if self._is_trial or row.last_error != str(error):
                self._refused(row, error)
            else:  # others went through since it met this last: it is about this row after all
                self._failed(row, error)
        except Exception as error:  # noqa: BLE001  # outermost loop: a bug in one effect must not stop the queue
            self._failed(row, error)
        else:
            self._note(row, answer)
            if self._is_trial and answer == MessageState.DONE:
                messages.end_hold(Queue(row.queue))

    def _refused(self, row: Message, error: AccountTrouble) -> None:
        log.error("the provider of %s refuses our account: %s", row.queue, error)
        now = timezone.now()
        messages.hold_queue(Queue(row.queue), str(error), now=now)
        self._unwritten.append(attempts.hold(row, str(error), now=now))
        self.results.append(AttemptResult.REFUSED)
        self.is_refused = True

    def _failed(self, row: Message, error: Exception) -> None:
        self._unwritten.append(outcomes.failed(row, error, now=timezone.now()))
        self.results.append(AttemptResult.FAILED)

    def _note(self, row: Message, answer: Answer) -> None:
        if not (isinstance(answer, Snooze) and answer.is_written):
            self._unwritten.append(outcomes.answered(row, answer, now=timezone.now()))
        self.results.append(outcomes.result(answer))

    # -- what is written -----------------------------------------------------------------------------------------------

    def _write(
        self, beginning: Change | None = None, question: Question | None = None
    ) -> tuple[bool, Sequence[Row] | None]:
        """What became of rows, and with it the beginning of the next. False: that one is no longer ours.

        And what the question found; None when a row had to be waited for, since that may have taken long.
        """
        became, self._unwritten = self._unwritten, []
        changes = [*became, beginning] if beginning is not None else became
        written, found = _together(changes, question)
        is_fresh = len(written) == len(changes)
        for change in changes:
            is_of_an_effect = change is not beginning and change.message.is_begun
            if change.message.pk not in written and _alone(change, tries=SETTLE_TRIES if is_of_an_effect else 1):
                written.add(change.message.pk)
        self._settled |= {change.message.pk for change in became if change.message.pk in written and _ends(change)}
        is_ours = beginning is None or beginning.message.pk in written
        return is_ours, found if is_fresh and question is not None else None


def _ends(change: Change) -> bool:
    return "state" in change.values


def _together(changes: Sequence[Change], question: Question | None) -> tuple[set[int], Sequence[Row]]:
    """Those that were written, none of which waited for another transaction; and what the question found."""
    if len(changes) < 2:
        return set(), []
    try:
        return attempts.write_and_ask(changes, question)
    except DatabaseError as error:
        if not database_timeouts.is_timeout(error):
            raise
        return set(), []


def _alone(change: Change, *, tries: int) -> bool:
    """One that was locked, or is no longer ours.

    What was performed and is not written is performed again, so this is worth more than one wait.
    """
    for tries_left in range(tries - 1, -1, -1):
        try:
            return bool(attempts.write([change]))
        except DatabaseError as error:
            if not database_timeouts.is_timeout(error):
                raise
            if not tries_left:
                message = change.message
                log.warning("%s %s is held by another; its lease brings it back", message.kind, message.uuid)
    return False
