"""The snapshot as metrics for Prometheus: names by its conventions, base units, no ids among the labels.

Everything is read at scrape time from what all processes share, so each web process tells the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.bookings import policy
from backend.ops.business_figures import BusinessFigures
from backend.ops.gateway_figures import GatewayFigures
from backend.ops.health import Health, TimerState
from backend.ops.models import QUEUES, AttemptResult, IncidentKind, ProcessRole
from backend.ops.snapshot import Snapshot
from backend.ops.upkeep import Upkeep
from backend.outbox.models import Queue

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "mindsettler_"
Number = float | timedelta | datetime | None
Samples = Iterable[tuple[list[str], Number]]


def exposition(snapshot: Snapshot) -> bytes:
    """Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(snapshot))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """None: registering must not collect."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Every metric; a number that is unknown has no sample."""
        yield from _stores(self._snapshot)
        if self._snapshot.health is not None:
            yield from _outbox(self._snapshot.health)
            yield from _processes(self._snapshot.health)
            yield from _timers(self._snapshot.health)
            yield _incidents(self._snapshot.health)
        if self._snapshot.figures is not None:
            yield from _business(self._snapshot.figures)


def _gauge(name: str, help_text: str, labels: list[str], samples: Samples) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, help_text, labels=labels)
    for values, number in samples:
        if number is not None:
            family.add_metric(values, _plain(number))
    return family


def _plain(number: float | timedelta | datetime) -> float:
    if isinstance(number, timedelta):
        return number.total_seconds()
    return number.timestamp() if isinstance(number, datetime) else float(number)


def _stores(snapshot: Snapshot) -> Iterator[Metric]:
    database, broker = snapshot.database, snapshot.broker
    yield _gauge("database_up", "Whether the database answers.", [], [([], database.is_reachable)])
    yield _gauge("broker_up", "Whether the broker answers.", [], [([], broker.is_reachable)])
    text = "Whether the broker takes messages: it is not full, no replica, and lets its user write."
    takes = not broker.refusal if broker.is_reachable else None
    yield _gauge("broker_writable", text, [], [([], takes)])
    text = "Whether the broker may throw messages away when its memory is full."
    yield _gauge("broker_evicts", text, [], [([], broker.evicts if broker.is_reachable else None)])
    pending = len(database.pending_migrations)
    yield _gauge("migrations_pending", "Migrations of this release not applied yet.", [], [([], pending)])
    yield from _upkeep(database.upkeep)
    messages, ages = [], []
    for queue in broker.queues:
        messages.append(([queue.name, "ready"], queue.ready))
        messages.append(([queue.name, "unacknowledged"], queue.unacknowledged))
        ages.append(([queue.name, "ready"], queue.oldest_age))
        ages.append(([queue.name, "unacknowledged"], queue.oldest_unacknowledged_age))
    yield _gauge("celery_messages", "Wake-ups in the broker, all priorities.", ["queue", "state"], messages)
    text = "Age of the oldest wake-up: since it was sent, or since a worker got it."
    yield _gauge("celery_oldest_message_age_seconds", text, ["queue", "state"], ages)


def _upkeep(upkeep: Upkeep | None) -> Iterator[Metric]:
    """Samples where PostgreSQL was asked; the names always."""
    oldest = upkeep.oldest_transaction_age if upkeep else None
    text = "How long the oldest transaction of the database is open."
    yield _gauge("database_oldest_transaction_seconds", text, [], [([], oldest)])
    rows = [(["live"], upkeep.outbox_rows), (["dead"], upkeep.outbox_dead_rows)] if upkeep else []
    yield _gauge("outbox_rows", "Rows of the outbox's table, by PostgreSQL's estimate.", ["state"], rows)


def _outbox(health: Health) -> Iterator[Metric]:
    rows, ages = [], []
    for queue in health.outbox:
        for state in ("ready", "leased", "backing_off", "scheduled", "dead"):
            rows.append(([queue.name.value, state], getattr(queue, state)))
        ages.append(([queue.name.value, "ready"], queue.oldest_ready_age))
        ages.append(([queue.name.value, "owed"], queue.oldest_owed_age))
        ages.append(([queue.name.value, "dead"], queue.oldest_dead_age))
    yield _gauge("outbox_messages", "Effects owed or given up, by queue.", ["queue", "state"], rows)
    text = "Age of the oldest effect: free and unclaimed (ready), due and not done (owed), or given up (dead)."
    yield _gauge("outbox_oldest_message_age_seconds", text, ["queue", "state"], ages)
    paused = [([queue.name.value], queue.pause is not None) for queue in health.outbox]
    yield _gauge("outbox_paused", "Whether an operator paused the queue.", ["queue"], paused)
    refused = [([queue.name.value], queue.refusal is not None) for queue in health.outbox]
    attempts = [
        ([queue.value, result.value], health.attempts.get((queue.value, result.value), 0))
        for queue in Queue
        for result in AttemptResult
    ]
    yield _counter("outbox_attempts", "Attempts at effects, by what became of them.", ["queue", "result"], attempts)
    yield _gauge("outbox_refused", "Whether the queue's provider refuses our account.", ["queue"], refused)
    yield _gauge(
        "mail_fallback", "Whether mail leaves by the second provider.", [], [([], health.fallback is not None)]
    )


def _processes(health: Health) -> Iterator[Metric]:
    up = [([process.name, process.role.value], process.is_alive) for process in health.processes]
    yield _gauge("process_up", "Whether a worker or beat gives signs of life.", ["process", "role"], up)
    seen = [([process.name, process.role.value], process.seen_at) for process in health.processes]
    yield _gauge("process_seen_timestamp_seconds", "Its last sign of life.", ["process", "role"], seen)
    ahead = [([process.name, process.role.value], process.clock_ahead) for process in health.processes]
    text = "How far a process's clock goes before the database's."
    yield _gauge("process_clock_ahead_seconds", text, ["process", "role"], ahead)
    alive = [([role.value], health.alive(role)) for role in ProcessRole]
    yield _gauge("processes_alive", "Processes at work, by role.", ["role"], alive)
    yield _gauge("beat_tick_timestamp_seconds", "Beat's last tick.", [], [([], health.beat_seen_at)])
    arrived = [([canary.queue.value], canary.arrived_at) for canary in health.canaries]
    yield _gauge("canary_arrival_timestamp_seconds", "When the last canary came through.", ["queue"], arrived)
    travel = [([canary.queue.value], canary.travel) for canary in health.canaries]
    yield _gauge("canary_travel_seconds", "From beat through the queue to the row.", ["queue"], travel)
    stale = [([canary.queue.value], canary.is_stale) for canary in health.canaries]
    yield _gauge("canary_stale", "Whether the last canary is too old, or none ever came.", ["queue"], stale)


def _counter(name: str, help_text: str, labels: list[str], samples: Iterable[tuple[list[str], int]]) -> Metric:
    family = CounterMetricFamily(PREFIX + name, help_text, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _incidents(health: Health) -> Metric:
    text = "Messages discarded as garbage, and workers that ended because they heard nothing."
    family = CounterMetricFamily(PREFIX + "queue_incidents", text, labels=["queue", "kind"])
    counted = {(incident.queue, incident.kind): incident.count for incident in health.incidents}
    for queue in QUEUES:
        for kind in IncidentKind:
            family.add_metric([queue.value, kind.value], counted.get((queue, kind), 0))
    return family


def _timers(health: Health) -> Iterator[Metric]:
    for moment in ("started", "finished", "succeeded", "due"):
        at = [([timer.name], getattr(timer, f"{moment}_at")) for timer in health.timers]
        text = f"When the timer {'is next due' if moment == 'due' else f'last {moment}'}."
        yield _gauge(f"timer_{moment}_timestamp_seconds", text, ["timer"], at)
    late = [([timer.name], timer.lateness) for timer in health.timers]
    yield _gauge("timer_lateness_seconds", "How long a run that succeeds is overdue.", ["timer"], late)
    states = [([t.name, state.value], t.state is state) for t in health.timers for state in TimerState]
    yield _gauge("timer_state", "1 for the state the timer is in.", ["timer", "state"], states)
    runs = [([t.name, end], getattr(t, f"runs_{end}")) for t in health.timers for end in ("succeeded", "failed")]
    yield _counter("timer_runs", "Runs, by how they ended.", ["timer", "result"], runs)
    touched = [([t.name, end], getattr(t, f"rows_{end}")) for t in health.timers for end in ("changed", "failed")]
    yield _counter("timer_rows_handled", "Rows of all runs.", ["timer", "result"], touched)
    counts = ("examined", "changed", "failed")
    rows = [([timer.name, count], getattr(timer, count)) for timer in health.timers for count in counts]
    yield _gauge("timer_rows", "Rows of the last run.", ["timer", "result"], rows)


def _business(figures: BusinessFigures) -> Iterator[Metric]:
    states = [([state.value], count) for state, count in figures.bookings.items()]
    yield _gauge("bookings", "Bookings by state.", ["state"], states)
    text = "When bookings in final states were counted: of a large practice up to ten minutes ago."
    yield _gauge("bookings_final_counted_timestamp_seconds", text, [], [([], figures.finals_counted_at)])
    overdue = [([rule.rule.value], rule.count) for rule in figures.overdue]
    yield _gauge("bookings_overdue", "Bookings past a deadline without its consequence.", ["rule"], overdue)
    ages = [([rule.rule.value], rule.oldest_age or 0) for rule in figures.overdue]
    yield _gauge("bookings_oldest_overdue_seconds", "How long the oldest is overdue.", ["rule"], ages)
    bounces = [(["known"], figures.mails_known), (["bounced"], figures.mails_bounced)]
    yield _gauge("mails_reported", "Mails of the last day that the provider reported about.", ["delivery"], bounces)
    mails = [([mail.template, mail.result], mail.count) for mail in figures.mails]
    yield _gauge("mails_last_day", "Mails settled within 24 hours.", ["template", "result"], mails)
    texts = [([text.channel, end], getattr(text, end)) for text in figures.texts for end in ("reached", "unreached")]
    yield _gauge("texts_last_day", "Reminders to telephones within 24 hours.", ["channel", "result"], texts)
    yield _gauge("payments_open", "Attempts to pay that are open.", [], [([], figures.payments_open)])
    begun = figures.oldest_payment_age or 0
    yield _gauge("payments_oldest_open_seconds", "How long the oldest attempt is open.", [], [([], begun)])
    refunds = [(["due"], figures.refunds_due), (["refused"], figures.refunds_refused)]
    yield _gauge("refunds", "Refunds owed, and refunds that the gateway refused.", ["state"], refunds)
    yield from _gateways(figures.gateways)
    yield _gauge("data_requests", "People who wait for us to act on their data.", [], [([], figures.data_requests)])
    text = "Time left until the nearest deadline of one; the whole term while nobody waits."
    left = figures.data_request_left if figures.data_requests else policy.DATA_REQUEST_WITHIN
    yield _gauge("data_requests_least_left_seconds", text, [], [([], left)])
    failing = figures.receivers_failing
    yield _gauge("webhook_receivers_failing", "Subscriptions whose server takes nothing.", [], [([], failing)])
    oldest = figures.oldest_receiver_age or 0
    yield _gauge("webhook_receivers_oldest_failing_seconds", "How long one takes nothing.", [], [([], oldest)])
    oldest = figures.oldest_refund_age or 0
    yield _gauge("refunds_oldest_due_seconds", "How long the oldest refund is owed.", [], [([], oldest)])


def _gateways(figures: GatewayFigures) -> Iterator[Metric]:
    numbers: tuple[tuple[str, str, float | timedelta], ...] = (
        ("payments_quarantined", "Reports of money bound to no booking, within a week.", figures.quarantined),
        ("captures_untold", "Captures of a day that no event told of.", figures.untold),
        ("payments_with_refused_events", "Payments named by events of another secret, in an hour.", figures.refused),
        ("events_oldest_waiting_seconds", "How long the oldest event waits.", figures.oldest_event_age or 0),
        ("pages_left_open", "Pages of attempts that are over, which could not be closed.", figures.pages_left),
        ("books_uncompared_seconds", "How long rounds of comparing come to no end.", figures.uncompared_for),
    )
    for name, text, number in numbers:
        yield _gauge(name, text, [], [([], number)])
