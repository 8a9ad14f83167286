"""The timers queue: each sweep selects ids by an indexed deadline and calls one intent per booking."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from backend.bookings import links, policy, queries
from backend.bookings.lifecycle import cancellation, money, timers
from backend.bookings.machine import State
from backend.outbox import messages
from workers.app import app
from workers.stopping import stopping

log = logging.getLogger(__name__)


class Intent(Protocol):
    def __call__(self, booking_id: int, /, *, now: datetime) -> None: ...


@app.task(name="workers.timers.lapse_drafts")
def lapse_drafts() -> None:
    """DRAFT → CANCELLED, its address not proved in time."""
    _sweep(lambda now: queries.due(State.DRAFT, now=now), timers.lapse_draft)


@app.task(name="workers.timers.close_unanswered")
def close_unanswered() -> None:
    """PENDING → CANCELLED, not answered in time."""
    _sweep(lambda now: queries.due(State.PENDING, now=now), timers.close_unanswered)


@app.task(name="workers.timers.time_out_approvals")
def time_out_approvals() -> None:
    """APPROVED → CANCELLED, not paid in time."""
    _sweep(lambda now: queries.due(State.APPROVED, now=now), timers.time_out_approval)


@app.task(name="workers.timers.ask_after_attempts")
def ask_after_attempts() -> None:
    """PAYMENT_PENDING past its deadline: owe the question to the gateway, or close the attempt."""
    _sweep(lambda now: queries.attempts_to_ask_after(now=now), money.ask_after_attempt)


@app.task(name="workers.timers.complete_sessions")
def complete_sessions() -> None:
    """CONFIRMED → COMPLETED, the session's time has passed."""
    _sweep(lambda now: queries.due(State.CONFIRMED, now=now), timers.complete_session)


@app.task(name="workers.timers.lapse_cancellations")
def lapse_cancellations() -> None:
    """Cancellations that were asked for and not proved: the booking stands."""
    _sweep(lambda now: queries.cancellations_to_lapse(now=now), cancellation.lapse_cancellation)


@app.task(name="workers.timers.purge_drafts")
def purge_drafts() -> None:
    """Drafts that were never proved lose their personal data."""
    _sweep(lambda now: queries.drafts_to_purge(now=now), timers.purge_draft)


@app.task(name="workers.timers.purge_links")
def purge_links() -> None:
    """Links that expired long ago are deleted."""
    links.purge(now=timezone.now())


@app.task(name="workers.timers.mend_turns")
def mend_turns() -> None:
    """Messages that a clock set back would keep waiting for its old time get their turn."""
    mended = messages.mend_turns(now=timezone.now())
    if mended:
        log.warning("the clock stepped back: %d turns mended", mended)


@app.task(name="workers.timers.blank_messages")
def blank_messages() -> None:
    """Old settled messages lose address and text."""
    now = timezone.now()
    messages.blank(settled_before=now - policy.MESSAGES_BLANKED_AFTER, now=now)


def _sweep(select: Callable[[datetime], list[int]], intent: Intent) -> None:
    """One transaction each; one that fails is logged and skipped, and the next sweep tries it again."""
    now = timezone.now()
    for booking_id in select(now):
        if stopping.is_set():
            return
        try:
            intent(booking_id, now=now)
        except Exception:  # outermost loop: one broken booking must not keep the others waiting
            log.exception("%s failed for booking %d", getattr(intent, "__name__", "intent"), booking_id)
