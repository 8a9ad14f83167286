"""The timers queue: what each of beat's wake-ups does. How a run goes on: `workers/sweeps.py`."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from backend.bookings import policy, queries
from backend.bookings.lifecycle import attempts, cancellation, choices, erasure, inbox, reconciliation, timers
from backend.core import correlation
from backend.ops import heartbeats, purges
from backend.ops.models import ProcessRole
from backend.outbox import messages
from backend.payments.models import Payment
from workers import heartbeat, sweeps
from workers.app import app
from workers.stopping import stopping

log = logging.getLogger(__name__)


@app.task(name="workers.timers.lapse_drafts")
def lapse_drafts() -> None:
    """DRAFT → CANCELLED, its address not proved in time."""
    sweeps.sweep("lapse_drafts", timers.lapse_draft)


@app.task(name="workers.timers.close_unanswered")
def close_unanswered() -> None:
    """PENDING → CANCELLED, not answered in time."""
    sweeps.sweep("close_unanswered", timers.close_unanswered)


@app.task(name="workers.timers.time_out_approvals")
def time_out_approvals() -> None:
    """APPROVED → CANCELLED, not paid in time."""
    sweeps.sweep("time_out_approvals", timers.time_out_approval)


@app.task(name="workers.timers.ask_after_attempts")
def ask_after_attempts() -> None:
    """PAYMENT_PENDING past its deadline: owe the question to the gateway, or close the attempt."""
    sweeps.sweep_each("ask_after_attempts", queries.attempts_to_ask_after, attempts.ask_after_attempt)


@app.task(name="workers.timers.complete_sessions")
def complete_sessions() -> None:
    """CONFIRMED → COMPLETED, the session's time has passed."""
    sweeps.sweep("complete_sessions", timers.complete_session)


@app.task(name="workers.timers.lapse_cancellations")
def lapse_cancellations() -> None:
    """Cancellations that were asked for and not proved: the booking stands."""
    sweeps.sweep("lapse_cancellations", cancellation.lapse_cancellation)


@app.task(name="workers.timers.apply_events")
def apply_events() -> None:
    """What gateways reported and could not be applied at once."""
    sweeps.sweep_each("apply_events", queries.events_to_apply, inbox.apply_event, rows="event")


@app.task(name="workers.timers.reconcile")
def reconcile() -> None:
    """Owe the payments worker a comparison of our books with each gateway's."""
    sweeps.sweep_each("reconcile", _gateways_due, reconciliation.begin_round, rows="payment")


def _gateways_due(*, now: datetime) -> QuerySet[Payment]:
    return Payment.objects.filter(pk__in=reconciliation.gateways_due(now=now))


@app.task(name="workers.timers.lapse_choices")
def lapse_choices() -> None:
    """Sessions that could not be held and whose visitors chose no other time: called off."""
    sweeps.sweep_each("lapse_choices", queries.choices_to_lapse, choices.lapse_choice)


@app.task(name="workers.timers.purge_drafts")
def purge_drafts() -> None:
    """Drafts that were never proved lose their personal data."""
    sweeps.sweep("purge_drafts", timers.purge_draft, seconds=sweeps.BUDGET_SECONDS)


@app.task(name="workers.timers.erase_people")
def erase_people() -> None:
    """Erasures whose day has come, and wishes to be erased that nobody proved."""
    sweeps.sweep_each("erase_people", queries.data_requests_due, erasure.carry_out, rows="request")


@app.task(name="workers.timers.purge_links")
def purge_links() -> None:
    """Links that expired long ago are deleted."""
    _retire("purge_links")


@app.task(name="workers.timers.mend_turns")
def mend_turns() -> None:
    """Messages that a clock set back would keep waiting for its old time get their turn."""
    sweeps.purge("mend_turns", _mended)


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
        name, sweeps.asked_by.name = wish
        correlation.begin(task=f"workers.timers.{name}")
        task = app.tasks.get(f"workers.timers.{name}")
        try:
            if task is not None:  # else the timer went with an older release
                task()
        finally:
            sweeps.asked_by.name = ""


def _retire(name: str) -> None:
    """What the table of retention says that this timer ends."""
    sweeps.purge(name, lambda now: purges.purge_of_timer(name, now=now))
