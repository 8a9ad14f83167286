"""What each alert must do: be quiet at the last good value and until its wait is over, and alert then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

P = "mindsettler_"
GONE = "stale"  # what Prometheus notes when a series ends
Values = Mapping[str, tuple[float | str, float | str]]  # series: before and after the change
MINUTE = 60


@dataclass(frozen=True)
class Fires:
    """Quiet before the change and until `wait` seconds after it; then there is one alert with these labels."""

    alert: str
    series: Values
    wait: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Quiet:
    """Never alerts: it is the cause of another alert that does, or is as it may be."""

    alert: str
    series: Values


def _timer(state: str) -> Values:
    return {f'{P}timer_state{{timer="lapse_drafts",state="{state}"}}': (0, 1)}


def _overdue(rule: str, before: float, after: float) -> Values:
    return {f'{P}bookings_oldest_overdue_seconds{{rule="{rule}"}}': (before, after)}


def _rows(state: str) -> str:
    return f'{P}outbox_rows{{state="{state}"}}'


MAIL = {"queue": "mail"}
TIMER = {"timer": "lapse_drafts"}
ALIVE = f"{P}processes_alive"
STALE = f'{P}canary_stale{{queue="mail"}}'
READY = f'{P}outbox_oldest_message_age_seconds{{queue="mail",state="ready"}}'
OWED = f'{P}outbox_oldest_message_age_seconds{{queue="mail",state="owed"}}'
DEAD = f'{P}outbox_messages{{queue="mail",state="dead"}}'
PAUSED = f'{P}outbox_paused{{queue="mail"}}'
REFUSED = f'{P}outbox_refused{{queue="mail"}}'
HELD = f'{P}celery_oldest_message_age_seconds{{queue="mail",state="unacknowledged"}}'
SILENT = f'{P}process_up{{process="mail@a",role="mail"}}'
BOUNCED = f'{P}mails_reported{{delivery="bounced"}}'
KNOWN = f'{P}mails_reported{{delivery="known"}}'
REACHED, UNREACHED = (f'{P}texts_last_day{{channel="sms",result="{end}"}}' for end in ("reached", "unreached"))
STORES_WELL: Values = {f"{P}database_up": (1, 1), f"{P}migrations_pending": (0, 0)}
STATE = f'{P}timer_state{{timer="lapse_drafts",state="up"}}'

CASES: tuple[Fires | Quiet, ...] = (
    Fires("MetricsMissing", {f"{P}database_up": (1, GONE)}, 2 * MINUTE),
    Fires("DatabaseDown", {f"{P}database_up": (1, 0)}, 15),
    Fires("MigrationsPending", {f"{P}migrations_pending": (0, 1)}, 2 * MINUTE),
    Fires("BrokerDown", {f"{P}broker_up": (1, 0)}, 15),
    Fires("BrokerRefuses", {f"{P}broker_writable": (1, 0)}, 30),
    Fires("BrokerEvicts", {f"{P}broker_evicts": (0, 1)}, 5 * MINUTE),
    Fires("BeatSilent", {f'{ALIVE}{{role="beat"}}': (1, 0)}),
    Fires("WorkersSilent", {f'{ALIVE}{{role="mail"}}': (1, 0)}, labels={"role": "mail"}),
    Quiet("WorkersSilent", {f'{ALIVE}{{role="beat"}}': (1, 0)}),
    Fires(
        "ProcessSilent",
        {SILENT: (1, 0), f'{ALIVE}{{role="mail"}}': (2, 1)},
        5 * MINUTE,
        {"process": "mail@a", "role": "mail"},
    ),
    Quiet("ProcessSilent", {SILENT: (1, 0), f'{ALIVE}{{role="mail"}}': (1, 0)}),
    Fires(
        "ClockSkewed",
        {f'{P}process_clock_ahead_seconds{{process="mail@a",role="mail"}}': (-5, -6)},
        2 * MINUTE,
        {"process": "mail@a"},
    ),
    Fires("WorkerDeaf", {f'{P}queue_incidents_total{{queue="mail",kind="restarted"}}': (0, 1)}, labels=MAIL),
    Fires("MessagesDiscarded", {f'{P}queue_incidents_total{{queue="mail",kind="discarded"}}': (0, 1)}, labels=MAIL),
    Fires("CanaryStale", {STALE: (0, 1), f"{P}broker_up": (1, 1), f'{ALIVE}{{role="beat"}}': (1, 1)}, labels=MAIL),
    Quiet("CanaryStale", {STALE: (0, 1), f"{P}broker_up": (1, 0)}),
    Quiet("CanaryStale", {STALE: (0, 1), f'{ALIVE}{{role="beat"}}': (1, 0)}),
    Fires("WakeUpsPileUp", {f'{P}celery_messages{{queue="mail",state="ready"}}': (90, 91)}, 5 * MINUTE, MAIL),
    Quiet("WakeUpsPileUp", {f'{P}celery_messages{{queue="mail",state="unacknowledged"}}': (0, 9999)}),
    Fires("TaskStuck", {HELD: (300, 301)}, MINUTE, MAIL),
    Fires("OutboxBehind", {READY: (60, 61), PAUSED: (0, 0)}, MINUTE, MAIL),
    Quiet("OutboxBehind", {READY: (60, 61), PAUSED: (0, 1)}),
    Quiet("OutboxBehind", {OWED: (60, 9999)}),
    Fires("EffectsOverdue", {OWED: (900, 901), PAUSED: (0, 0)}, MINUTE, MAIL),
    Quiet("EffectsOverdue", {OWED: (900, 901), PAUSED: (0, 1)}),
    Quiet("EffectsOverdue", {OWED: (900, 901), REFUSED: (0, 1)}),
    Quiet("OutboxBehind", {READY: (60, 61), REFUSED: (0, 1)}),
    Fires("ProviderRefuses", {REFUSED: (0, 1)}, labels=MAIL),
    Quiet("ProviderRefuses", {PAUSED: (0, 1)}),
    Fires("MailByTheSecond", {f"{P}mail_fallback": (0, 1)}),
    Fires("MailsBounce", {BOUNCED: (4, 6), KNOWN: (100, 100)}),
    Quiet("MailsBounce", {BOUNCED: (2, 4), KNOWN: (5, 5)}),
    Quiet("MailsBounce", {BOUNCED: (5, 9), KNOWN: (200, 200)}),
    Fires("TextsUndelivered", {UNREACHED: (4, 6), REACHED: (5, 5)}, labels={"channel": "sms"}),
    Quiet("TextsUndelivered", {UNREACHED: (2, 4), REACHED: (0, 0)}),
    Quiet("TextsUndelivered", {UNREACHED: (2, 9), REACHED: (9, 9)}),
    Fires("DeadLetters", {DEAD: (0, 1)}, labels=MAIL),
    Quiet("DeadLetters", {f'{P}outbox_messages{{queue="mail",state="ready"}}': (0, 1)}),
    Fires("ManyDeadLetters", {DEAD: (3, 14)}, labels=MAIL),
    Quiet("ManyDeadLetters", {DEAD: (3, 13)}),
    Fires("QueuePaused", {PAUSED: (0, 1)}, 30 * MINUTE, MAIL),
    Fires("ScheduleEmpty", {STATE: (1, GONE), **STORES_WELL}, 2 * MINUTE),
    Quiet("ScheduleEmpty", {STATE: (1, GONE), f"{P}database_up": (1, 0), f"{P}migrations_pending": (0, 0)}),
    Quiet("ScheduleEmpty", {STATE: (1, GONE), f"{P}database_up": (1, 1), f"{P}migrations_pending": (0, 1)}),
    Fires(
        "TimerDown",
        {**_timer("down"), f'{ALIVE}{{role="beat"}}': (1, 1), f'{ALIVE}{{role="timers"}}': (1, 1)},
        labels=TIMER,
    ),
    Quiet("TimerDown", {**_timer("down"), f'{ALIVE}{{role="beat"}}': (1, 0), f'{ALIVE}{{role="timers"}}': (1, 1)}),
    Quiet("TimerDown", {**_timer("down"), f'{ALIVE}{{role="beat"}}': (1, 1), f'{ALIVE}{{role="timers"}}': (1, 0)}),
    Fires("TimerLate", _timer("late"), 5 * MINUTE, TIMER),
    Fires("TimerFailing", {f'{P}timer_rows{{timer="lapse_drafts",result="failed"}}': (0, 1)}, 5 * MINUTE, TIMER),
    Quiet("TimerFailing", {f'{P}timer_rows{{timer="lapse_drafts",result="changed"}}': (0, 1)}),
    Fires("TimerOff", _timer("off"), 60 * MINUTE, TIMER),
    Fires("TimerNeverRan", _timer("new"), 60 * MINUTE, TIMER),
    Fires("DeadlineMissed", _overdue("session_over", 300, 301), labels={"rule": "session_over"}),
    Quiet("DeadlineMissed", _overdue("attempt_idle", 0, 3600)),
    Quiet("DeadlineMissed", _overdue("draft_purged", 0, 3600)),
    Fires("AttemptUnsettled", _overdue("attempt_idle", 3600, 3601)),
    Fires("PurgeOverdue", _overdue("draft_purged", 3600, 3601)),
    Fires("RefundsRefused", {f'{P}refunds{{state="refused"}}': (0, 1)}),
    Quiet("RefundsRefused", {f'{P}refunds{{state="due"}}': (0, 1)}),
    Fires("RefundsOverdue", {f"{P}refunds_oldest_due_seconds": (172800, 172801)}),
    Fires("MoneyQuarantined", {f"{P}payments_quarantined": (0, 1)}),
    Fires("GatewaySilent", {f"{P}captures_untold": (0, 1)}),
    Fires("SecretRefused", {f"{P}payments_with_refused_events": (0, 1)}),
    Fires("EventsWaiting", {f"{P}events_oldest_waiting_seconds": (60, 61)}),
    Fires("PageLeftOpen", {f"{P}pages_left_open": (0, 1)}),
    Fires("BooksUncompared", {f"{P}books_uncompared_seconds": (7200, 7201)}),
    Fires("ReceiverFailing", {f"{P}webhook_receivers_oldest_failing_seconds": (3600, 3601)}),
    Fires("TransactionOpen", {f"{P}database_oldest_transaction_seconds": (900, 901)}),
    Fires(
        "DeadRowsPileUp",
        {f'{P}outbox_rows{{state="dead"}}': (100000, 100001), f'{P}outbox_rows{{state="live"}}': (0, 0)},
    ),
    Fires("DataRequestPresses", {f"{P}data_requests_least_left_seconds": (1209600, 1209599)}),
    Fires("MailsSuppressed", {f'{P}mails_last_day{{template="draft_submitted",result="suppressed"}}': (100, 101)}),
    Quiet("MailsSuppressed", {f'{P}mails_last_day{{template="draft_submitted",result="done"}}': (100, 9999)}),
)
