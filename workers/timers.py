"""The timers queue: each sweep selects ids by an indexed deadline and calls one intent per row."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from backend.bookings import policy, queries
from backend.bookings.lifecycle import attempts, cancellation, choices, erasure, inbox, reconciliation, timers
from backend.bookings.machine import State
from backend.core import correlation, database_timeouts
from backend.ops import heartbeats, purges
from backend.ops.models import ProcessRole
from backend.outbox import messages
from workers import heartbeat, watchdog
from workers.app import app
from workers.stopping import stopping

log = logging.getLogger(__name__)

BUDGET_SECONDS = 30  # of one sweep, below the soft limit of 45 s: rows that others hold cost a wait each


class TimerIntent(Protocol):
    def __call__(self, row_id: int, /, *, now: datetime) -> object: ...


@app.task(name="workers.timers.lapse_drafts")
def lapse_drafts() -> None:
    """DRAFT → CANCELLED, its address not proved in time."""
    _sweep("lapse_drafts", lambda now: queries.due(State.DRAFT, now=now), timers.lapse_draft)


@app.task(name="workers.timers.close_unanswered")
def close_unanswered() -> None:
    """PENDING → CANCELLED, not answered in time."""
    _sweep("close_unanswered", lambda now: queries.due(State.PENDING, now=now), timers.close_unanswered)


@app.task(name="workers.timers.time_out_approvals")
def time_out_approvals() -> None:
    """APPROVED → CANCELLED, not paid in time."""
    _sweep("time_out_approvals", lambda now: queries.due(State.APPROVED, now=now), timers.time_out_approval)


@app.task(name="workers.timers.ask_after_attempts")
def ask_after_attempts() -> None:
    """PAYMENT_PENDING past its deadline: owe the question to the gateway, or close the attempt."""
    _sweep("ask_after_attempts", lambda now: queries.attempts_to_ask_after(now=now), attempts.ask_after_attempt)


@app.task(name="workers.timers.complete_sessions")
def complete_sessions() -> None:
    """CONFIRMED → COMPLETED, the session's time has passed."""
    _sweep("complete_sessions", lambda now: queries.due(State.CONFIRMED, now=now), timers.complete_session)


@app.task(name="workers.timers.lapse_cancellations")
def lapse_cancellations() -> None:
    """Cancellations that were asked for and not proved: the booking stands."""
    _sweep("lapse_cancellations", lambda now: queries.cancellations_to_lapse(now=now), cancellation.lapse_cancellation)


@app.task(name="workers.timers.apply_events")
def apply_events() -> None:
    """What gateways reported and could not be applied at once."""
    _sweep("apply_events", lambda now: queries.events_to_apply(now=now), inbox.apply_event, rows="event")


@app.task(name="workers.timers.reconcile")
def reconcile() -> None:
    """Owe the payments worker a comparison of our books with each gateway's."""
    _sweep("reconcile", lambda now: reconciliation.gateways_due(now=now), reconciliation.begin_round, rows="payment")


@app.task(name="workers.timers.lapse_choices")
def lapse_choices() -> None:
    """Sessions that could not be held and whose visitors chose no other time: called off."""
    _sweep("lapse_choices", lambda now: queries.choices_to_lapse(now=now), choices.lapse_choice)


@app.task(name="workers.timers.purge_drafts")
def purge_drafts() -> None:
    """Drafts that were never proved lose their personal data."""
    due = queries.drafts_to_purge
    _sweep("purge_drafts", lambda now: due(now=now), timers.purge_draft, until_nothing_is_due=True)


@app.task(name="workers.timers.erase_people")
def erase_people() -> None:
    """Erasures whose day has come, and wishes to be erased that nobody proved."""
    due = queries.data_requests_due
    _sweep("erase_people", lambda now: due(now=now), erasure.carry_out, rows="request")


@app.task(name="workers.timers.purge_links")
def purge_links() -> None:
    """Links that expired long ago are deleted."""
    _retire("purge_links")


@app.task(name="workers.timers.mend_turns")
def mend_turns() -> None:
    """Messages that a clock set back would keep waiting for its old time get their turn."""
    _purge("mend_turns", _mended)


def _mended(now: datetime) -> int:
    mended = messages.mend_turns(now=now, held_for=policy.UNDO_WINDOW)
    if mended:
        log.warning("the clock stepped back: %d turns mended", mended)
    return mended


@app.task(name="workers.timers.blank_messages")
def blank_messages() -> None:
    """Old settled messages lose address and text; the answer to an erasure as soon as it has left."""
    _retire("blank_messages")


@app.task(name="workers.timers.expire_access_log")
def expire_access_log() -> None:
    """Who read what is kept for a year."""
    _retire("expire_access_log")


@app.task(name="workers.timers.forget_runs")
def forget_runs() -> None:
    """The history of timers is kept for days, not for ever."""
    _retire("forget_runs")


@app.task(name="workers.timers.forget_ended")
def forget_ended() -> None:
    """Sessions, tokens and links of staff that have ended, and what strangers were counted by, are deleted."""
    _retire("forget_ended")


@app.task(name="workers.timers.run_asked")
def run_asked() -> None:
    """Run what an operator asked for: the wish is a row, so that no web process needs the broker."""
    heartbeat.record(ProcessRole.TIMERS)
    while not stopping.is_set() and (wish := heartbeats.take_asked_run(now=timezone.now())):
        name, _asked_by.name = wish
        correlation.begin(task=f"workers.timers.{name}")
        task = app.tasks.get(f"workers.timers.{name}")
        try:
            if task is not None:  # else the timer went with an older release
                task()
        finally:
            _asked_by.name = ""


class _AskedBy(threading.local):
    """The operator whom the history names for the current run; empty for beat's own runs."""

    name = ""


_asked_by = _AskedBy()


def _sweep(
    name: str,
    select: Callable[[datetime], list[int]],
    intent: TimerIntent,
    *,
    until_nothing_is_due: bool = False,
    rows: str = "booking",
) -> None:
    """One transaction each; one that fails is logged and skipped, and the next sweep tries it again."""
    heartbeat.record(ProcessRole.TIMERS)
    now = timezone.now()
    with watchdog.around(name), heartbeats.timer_run(name, clock=timezone.now, asked_by=_asked_by.name) as run:
        is_time_left = _time_left()
        examined: set[int] = set()
        while is_time_left() and (due := [row_id for row_id in select(now) if row_id not in examined]):
            for row_id in due:
                if not is_time_left():
                    break
                examined.add(row_id)
                run.failed += not _kept(row_id, intent, rows=rows, now=now)
            if not until_nothing_is_due:
                break
        run.examined = len(examined)
        if examined:  # intents do nothing when another worker was first: what is no longer due was changed
            run.changed = run.examined - len(examined.intersection(select(now)))


def _kept(row_id: int, intent: TimerIntent, *, rows: str, now: datetime) -> bool:
    """False: it failed, which is in the log."""
    is_kept = True
    try:
        intent(row_id, now=now)
    except Exception as error:  # outermost loop: one broken row must not keep the others waiting
        is_kept = False
        name = getattr(intent, "__name__", "intent")
        if database_timeouts.is_timeout(error):
            log.warning("%s: %s %d is held by another transaction", name, rows, row_id)
        else:
            log.exception("%s failed for %s %d", name, rows, row_id)
    heartbeat.record(ProcessRole.TIMERS)
    return is_kept


def _retire(name: str) -> None:
    """What the table of retention says that this timer ends."""
    _purge(name, lambda now: purges.purge_of_timer(name, now=now))


def _purge(name: str, purge: Callable[[datetime], int]) -> None:
    """A timer that deletes or blanks rows by itself, a batch at a time, until none is left that is due."""
    heartbeat.record(ProcessRole.TIMERS)
    with watchdog.around(name), heartbeats.timer_run(name, clock=timezone.now, asked_by=_asked_by.name) as run:
        is_time_left = _time_left()
        while is_time_left() and (done := purge(timezone.now())):
            run.changed += done
            heartbeat.record(ProcessRole.TIMERS)
        run.examined = run.changed


def _time_left() -> Callable[[], bool]:
    """Whether a run may go on: until its budget is spent, or the worker is asked to stop."""
    began = time.monotonic()
    return lambda: not stopping.is_set() and time.monotonic() - began <= BUDGET_SECONDS
