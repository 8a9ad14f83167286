"""The snapshot as tables of short texts, shown alike by the page and the command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from backend.ops.broker_answer import CeleryQueue
from backend.ops.business_figures import BusinessFigures
from backend.ops.formatting import NOTHING, format_age, format_utc
from backend.ops.health import Health, OutboxQueue, TimerHealth, TimerState
from backend.ops.models import TimerRun
from backend.ops.snapshot import Snapshot


class Tone(StrEnum):
    """How a row is to be read; the page colours it, in Bootstrap's words."""

    CALM = ""
    WARNING = "warning"
    DANGER = "danger"


@dataclass(frozen=True)
class Row:
    """One line. `subject` is what an action on it names: a queue, a timer."""

    cells: tuple[str, ...]
    tone: Tone = Tone.CALM
    subject: str = ""


@dataclass(frozen=True)
class Table:
    """A heading, its columns and its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def build_tables(snapshot: Snapshot) -> list[Table]:
    """Every table that the snapshot has rows for, in the order an operator asks."""
    tables = [_stores(snapshot)]
    if snapshot.health is not None:
        tables += [_queues(snapshot, snapshot.health), _processes(snapshot.health), timers(snapshot.health.timers)]
    if snapshot.figures is not None:
        tables += list(_business(snapshot.figures))
    return tables


def _stores(snapshot: Snapshot) -> Table:
    database, broker = snapshot.database, snapshot.broker
    pending = len(database.pending_migrations)
    said = "answers" if database.is_reachable else f"does not answer: {database.trouble}"
    rows = (
        Row(
            ("Database", f"{said}, {pending} migrations pending" if pending else said),
            Tone.CALM if database.is_reachable and not pending else Tone.DANGER,
        ),
        Row(
            ("Broker", "answers" if broker.is_reachable else f"does not answer: {broker.trouble}"),
            Tone.CALM if broker.is_reachable else Tone.DANGER,
        ),
    )
    return Table("Stores", ("Store", "State"), rows)


def _queues(snapshot: Snapshot, health: Health) -> Table:
    owed = {queue.name.value: queue for queue in health.outbox}
    wakes = {queue.name: queue for queue in snapshot.broker.queues}
    rows = []
    for canary in health.canaries:
        name = canary.queue.value
        outbox = owed.get(name)
        is_paused = outbox is not None and outbox.pause is not None
        arrived = "never" if canary.age is None else f"{format_age(canary.age)} ago"
        title = f"{name} (paused)" if is_paused else name
        cells = (title, *_owed_cells(outbox), *_wake_cells(wakes.get(name)), arrived)
        tone = Tone.WARNING if outbox and outbox.dead else Tone.CALM
        rows.append(Row(cells, Tone.DANGER if canary.is_stale or is_paused else tone, name if outbox else ""))
    columns = (
        "Queue", "Ready", "Leased", "Backing off", "Scheduled", "Dead", "Oldest ready", "Oldest owed", "Oldest dead",
        "Wake-ups", "Oldest", "In work", "Longest", "Canary",
    )  # fmt: skip
    return Table("Queues", columns, tuple(rows))


def _owed_cells(queue: OutboxQueue | None) -> tuple[str, ...]:
    if queue is None:  # sweeps owe nothing
        return (NOTHING,) * 8
    counts = (queue.ready, queue.leased, queue.backing_off, queue.scheduled, queue.dead)
    ages = (queue.oldest_ready_age, queue.oldest_owed_age, queue.oldest_dead_age)
    return *(str(count) for count in counts), *(format_age(span) for span in ages)


def _wake_cells(queue: CeleryQueue | None) -> tuple[str, ...]:
    if queue is None:  # the broker did not answer
        return (NOTHING,) * 4
    return (
        str(queue.ready),
        format_age(queue.oldest_age),
        str(queue.unacknowledged),
        format_age(queue.oldest_unacknowledged_age),
    )


def _processes(health: Health) -> Table:
    rows = [
        Row(
            (process.name, "at work" if process.is_alive else "silent", f"{format_age(process.age)} ago"),
            Tone.CALM if process.is_alive else Tone.DANGER,
        )
        for process in health.processes
    ]
    return Table("Processes", ("Process", "State", "Last sign of life"), tuple(rows))


def timers(found: tuple[TimerHealth, ...]) -> Table:
    """The schedule: state, last run and next."""
    rows = tuple(
        Row(
            (
                timer.name,
                timer.state.value + (" (asked for)" if timer.asked_at else ""),
                format_age(timer.every),
                format_utc(timer.started_at),
                format_utc(timer.finished_at),
                format_utc(timer.succeeded_at),
                str(timer.examined),
                str(timer.changed),
                str(timer.failed),
                format_utc(timer.due_at),
                format_age(timer.lateness) if timer.lateness else NOTHING,
                timer.error or NOTHING,
            ),
            _TONES.get(timer.state, Tone.CALM) or (Tone.WARNING if timer.failed else Tone.CALM),
            timer.name,
        )
        for timer in found
    )
    columns = (
        "Timer", "State", "Every", "Last start", "Last finish", "Last success", "Examined", "Changed", "Failed",
        "Next due", "Late by", "Error",
    )  # fmt: skip
    return Table("Timers", columns, rows)


def history(runs: Iterable[TimerRun]) -> Table:
    """What timers did, the latest run first."""
    rows = tuple(
        Row(
            (
                run.timer,
                format_utc(run.started_at),
                format_utc(run.finished_at),
                str(run.examined),
                str(run.changed),
                str(run.failed),
                run.error or NOTHING,
                run.asked_by or NOTHING,
                run.correlation_id or NOTHING,
            ),
            Tone.WARNING if run.failed or run.error else Tone.CALM,
            run.timer,
        )
        for run in runs
    )
    columns = (
        "Timer",
        "Started",
        "Finished",
        "Examined",
        "Changed",
        "Failed",
        "Error",
        "Asked for by",
        "Correlation id",
    )
    return Table("Runs that had something to do, failed, or were asked for", columns, rows)


_TONES = {TimerState.DOWN: Tone.DANGER, TimerState.LATE: Tone.WARNING, TimerState.OFF: Tone.WARNING}


def _business(figures: BusinessFigures) -> Iterator[Table]:
    states = tuple(Row((state.value, str(count))) for state, count in figures.bookings.items())
    counted = Row(("final states counted", format_utc(figures.finals_counted_at)))
    yield Table("Bookings", ("State", "Bookings"), (*states, counted))
    overdue = tuple(
        Row((rule.rule.value, str(rule.count), format_age(rule.oldest_age)), Tone.WARNING if rule.count else Tone.CALM)
        for rule in figures.overdue
    )
    yield Table("Overdue", ("Rule", "Bookings", "Oldest by"), overdue)
    mails = tuple(
        Row((row.template, row.result, str(row.count)), Tone.WARNING if row.result == "dead" else Tone.CALM)
        for row in figures.mails
    )
    yield Table("Mails of the last 24 hours", ("Template", "Result", "Mails"), mails)
    money = (
        Row(("Open attempts to pay", str(figures.payments_open), format_age(figures.oldest_payment_age))),
        Row(("Refunds due", str(figures.refunds_due), format_age(figures.oldest_refund_age))),
        Row(
            ("Refunds refused by the gateway", str(figures.refunds_refused), NOTHING),
            Tone.WARNING if figures.refunds_refused else Tone.CALM,
        ),
        Row(
            ("Reports in quarantine, last week", str(figures.gateways.quarantined), NOTHING),
            Tone.WARNING if figures.gateways.quarantined else Tone.CALM,
        ),
        Row(
            ("Captures that no event told of, last day", str(figures.gateways.untold), NOTHING),
            Tone.WARNING if figures.gateways.untold else Tone.CALM,
        ),
        Row(
            ("Payments whose events were refused, last hour", str(figures.gateways.refused), NOTHING),
            Tone.WARNING if figures.gateways.refused else Tone.CALM,
        ),
        Row(
            ("Events that wait", str(figures.gateways.events_waiting), format_age(figures.gateways.oldest_event_age)),
        ),
    )
    yield Table("Money", ("What", "How many", "Oldest"), money)
