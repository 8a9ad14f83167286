"""What beat sends, how often, and to which queue: the whole schedule on one page.

A message is a wake-up without data. None expires, for that would be judged by two machines' clocks; a queue keeps the
newest alone (`workers/transport.py`), and each says the same. Beside these, what is new wakes its queue at once
(`workers/early.py`).
"""

from __future__ import annotations

from datetime import timedelta

from backend.core import environment as env

DRAIN_EVERY = env.duration("DRAIN_EVERY", "how often each outbox queue is woken when nothing is new", default="4s")
SWEEP_EVERY = env.duration("SWEEP_EVERY", "how often each deadline is swept", default="10s")
PURGE_EVERY = env.duration("PURGE_EVERY", "how often stale personal data is purged", default="10m")
SETTLEMENTS_EVERY = env.duration("SETTLEMENTS_EVERY", "how often gateways are asked what they paid out", default="1h")
RECONCILE_EVERY = env.duration("RECONCILE_EVERY", "how often our books are compared with a gateway's", default="10m")
CANARY_EVERY = env.duration("CANARY_EVERY", "how often a canary goes through each queue", default="5s")

ROUTES = {
    "workers.mail.*": {"queue": "mail"},
    "workers.payments.*": {"queue": "payments"},
    "workers.calls.*": {"queue": "calls"},
    "workers.timers.*": {"queue": "timers"},
}

TABLE: dict[str, tuple[str, timedelta]] = {
    # name: (task, interval)
    "drain mail": ("workers.mail.drain", DRAIN_EVERY),
    "drain payments": ("workers.payments.drain", DRAIN_EVERY),
    "drain calls": ("workers.calls.drain", DRAIN_EVERY),
    "lapse drafts": ("workers.timers.lapse_drafts", SWEEP_EVERY),
    "close unanswered requests": ("workers.timers.close_unanswered", SWEEP_EVERY),
    "time out unpaid approvals": ("workers.timers.time_out_approvals", SWEEP_EVERY),
    "ask after open attempts": ("workers.timers.ask_after_attempts", SWEEP_EVERY),
    "apply what gateways reported": ("workers.timers.apply_events", SWEEP_EVERY),
    "compare our books with a gateway's": ("workers.timers.reconcile", RECONCILE_EVERY),
    "complete sessions": ("workers.timers.complete_sessions", SWEEP_EVERY),
    "lapse cancellations": ("workers.timers.lapse_cancellations", SWEEP_EVERY),
    "lapse choices of another time": ("workers.timers.lapse_choices", SWEEP_EVERY),
    "mend turns after the clock stepped back": ("workers.timers.mend_turns", SWEEP_EVERY),
    "purge lapsed drafts": ("workers.timers.purge_drafts", PURGE_EVERY),
    "erase people": ("workers.timers.erase_people", PURGE_EVERY),
    "purge links": ("workers.timers.purge_links", PURGE_EVERY),
    "blank settled messages": ("workers.timers.blank_messages", PURGE_EVERY),
    "expire the access log": ("workers.timers.expire_access_log", PURGE_EVERY),
    "forget old runs of timers": ("workers.timers.forget_runs", PURGE_EVERY),
    "forget what has ended": ("workers.timers.forget_ended", PURGE_EVERY),
    "run timers that were asked for": ("workers.timers.run_asked", DRAIN_EVERY),
    "fetch what gateways paid out": ("workers.payments.fetch_settlements", SETTLEMENTS_EVERY),
    "canary mail": ("workers.mail.canary", CANARY_EVERY),
    "canary payments": ("workers.payments.canary", CANARY_EVERY),
    "canary calls": ("workers.calls.canary", CANARY_EVERY),
    "canary timers": ("workers.timers.canary", CANARY_EVERY),
}
