"""What a snapshot means: each thing that is not as it should be, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from backend.bookings import policy
from backend.ops import clocks
from backend.ops.business_figures import BusinessFigures, OverdueRule
from backend.ops.formatting import format_age
from backend.ops.gateway_figures import GatewayFigures
from backend.ops.health import Health, TimerState
from backend.ops.models import IncidentKind, ProcessRole
from backend.ops.snapshot import Snapshot
from backend.ops.upkeep import Upkeep

BEHIND_AFTER = timedelta(seconds=60)  # a free row that nobody claims, though its queue is drained every few seconds
OVERDUE_AFTER = timedelta(minutes=5)  # sweeps run every 10 s
OVERDUE_LATER = {
    OverdueRule.ATTEMPT_IDLE: timedelta(hours=1),  # an unreachable gateway is asked for half an hour past its deadline
    OverdueRule.DRAFT_PURGED: timedelta(hours=1),  # purged every 10 min, 200 at a time
}
EVENT_WAITS_FOR = timedelta(minutes=1)  # the sweep takes it within seconds
UNCOMPARED_AFTER = timedelta(hours=2)  # a round begins every ten minutes
REFUND_DUE_FOR = timedelta(days=2)
RECEIVER_FAILS_FOR = timedelta(hours=1)  # then whoever runs it should hear of it; after three days events are lost
TRANSACTION_OPEN_FOR = timedelta(minutes=15)  # a dump of a large practice may take some minutes
DEAD_ROWS = 100_000  # in the outbox, and more than those that live; it is cleared at a twentieth of that
NONE = timedelta(0)
BOUNCED_MOST = 0.05  # providers warn at a twentieth, and close accounts at a tenth
BOUNCES_LEAST = 5  # fewer are mistyped addresses
TEXTS_UNREACHED_MOST = 0.5  # of a channel's; telephones are off, and numbers change
TEXTS_UNREACHED_LEAST = 5
INCIDENT_SHOWN_FOR = timedelta(hours=1)
INCIDENTS = {
    IncidentKind.DISCARDED: (
        "Messages that were none of ours were discarded",
        "Somebody else writes into our Redis: give us one, or a database of it, of our own.",
    ),
    IncidentKind.RESTARTED: (
        "A worker heard nothing although the broker answered, and ended to be started anew",
        "Once after an outage is well. If it comes again, see its log, and Redis'.",
    ),
}


class Level(StrEnum):
    """How bad."""

    FATAL = "fatal"  # nothing can be booked
    DEGRADED = "degraded"  # bookings work; what must follow them does not
    WARNING = "warning"  # somebody should look


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be. `component` is what readiness names."""

    level: Level
    component: str
    text: str
    advice: str


def judge(snapshot: Snapshot) -> tuple[Finding, ...]:
    """All findings, the worst first."""
    found = [*_stores(snapshot)]
    if snapshot.health is not None:
        found += [*_processes(snapshot.health), *_clocks(snapshot.health), *_incidents(snapshot.health)]
        found += [*_canaries(snapshot.health), *_timers(snapshot.health)]
        found += [*_outbox(snapshot.health), *_mail(snapshot.health)]
    found += [*_upkeep(snapshot.database.upkeep), *_business(snapshot)]
    return tuple(sorted(found, key=lambda finding: list(Level).index(finding.level)))


def _stores(snapshot: Snapshot) -> Iterator[Finding]:
    database, broker = snapshot.database, snapshot.broker
    if not database.is_reachable:
        advice = "Start PostgreSQL, or mend DATABASE_URL. Nothing can be booked meanwhile."
        yield Finding(Level.FATAL, "database", f"The database does not answer ({database.trouble}).", advice)
    if database.pending_migrations:
        first, *others = database.pending_migrations
        text = f"Migrations pending: {first}" + (f" and {len(others)} more." if others else ".")
        yield Finding(Level.FATAL, "migrations", text, "Run `python manage.py release`.")
    if not broker.is_reachable:
        advice = "Start Redis, or mend REDIS_URL. Bookings go on; workers work by themselves meanwhile."
        yield Finding(Level.DEGRADED, "broker", f"The broker does not answer ({broker.trouble}).", advice)
    if broker.refusal:
        text = f"The broker answers, but takes no message: {broker.refusal}."
        advice = "Free its memory, name its primary in REDIS_URL, or give its user the rights of docs/operations."
        yield Finding(Level.DEGRADED, "broker", text, advice)
    if broker.evicts is None:
        advice = "Allow its user INFO: ACL SETUSER … +info."
        yield Finding(Level.WARNING, "broker", "Whether the broker throws messages away cannot be asked.", advice)
    if broker.evicts:
        text = "The broker may throw messages away when its memory is full."
        yield Finding(Level.WARNING, "broker", text, "Set Redis' maxmemory-policy to noeviction.")


def _upkeep(upkeep: Upkeep | None) -> Iterator[Finding]:
    if upkeep is None:
        return
    if upkeep.oldest_transaction_age > TRANSACTION_OPEN_FOR:
        text = f"A transaction of the database is open for {format_age(upkeep.oldest_transaction_age)}."
        advice = "See pg_stat_activity whose it is: a dump, a console, a report. Meanwhile no dead row is cleared away."
        yield Finding(Level.WARNING, "database", text, advice)
    if upkeep.outbox_dead_rows > max(DEAD_ROWS, upkeep.outbox_rows):
        text = f"Dead rows of the outbox that were not cleared away: {upkeep.outbox_dead_rows}."
        advice = "See that autovacuum runs and no transaction stays open; then VACUUM outbox_message."
        yield Finding(Level.WARNING, "database", text, advice)


def _processes(health: Health) -> Iterator[Finding]:
    for role in ProcessRole:
        named = "beat" if role == ProcessRole.BEAT else f"worker-{role.value}"
        if not health.alive(role):
            advice = f"Start the process type `{named}` of the Procfile, or restart it if it hangs."
            yield Finding(Level.DEGRADED, named, f"No {named} is at work.", advice)
            continue
        for process in health.processes:
            if process.role == role and not process.is_alive:
                text = f"{process.name} fell silent {format_age(process.age)} ago; others of its type are at work."
                yield Finding(Level.DEGRADED, named, text, "Restart it. If its machine is gone, this ends in an hour.")


def _clocks(health: Health) -> Iterator[Finding]:
    for process in health.processes:
        if process.clock_ahead is not None and clocks.is_skewed(process.clock_ahead):
            by = f"{format_age(abs(process.clock_ahead))} {'ahead of' if process.clock_ahead > NONE else 'behind'}"
            text = f"The clock of {process.name} is {by} the database's."
            advice = (
                "Mend the time service there or at the database: deadlines are judged by it. A restart does not help."
            )
            yield Finding(Level.DEGRADED, "clock", text, advice)


def _incidents(health: Health) -> Iterator[Finding]:
    for incident in health.incidents:
        if incident.age < INCIDENT_SHOWN_FOR:
            what, advice = INCIDENTS[incident.kind]
            text = (
                f"{what} (queue {incident.queue.value}, last {format_age(incident.age)} ago, {incident.count} in all)."
            )
            yield Finding(Level.WARNING, "broker", text, advice)


def _canaries(health: Health) -> Iterator[Finding]:
    for canary in health.canaries:
        if canary.is_stale:
            when = f"The last one came {format_age(canary.age)} ago." if canary.age else "None ever came."
            text = f"No canary comes through the queue {canary.queue.value}. {when}"
            advice = f"See that beat, the broker and worker-{canary.queue.value} are at work; one of them may hang."
            yield Finding(Level.DEGRADED, f"canary-{canary.queue.value}", text, advice)


def _timers(health: Health) -> Iterator[Finding]:
    if not health.timers:
        yield Finding(Level.DEGRADED, "timers", "The schedule is empty.", "Run `python manage.py release`.")
    for timer in health.timers:
        if timer.state is TimerState.DOWN:
            text = f"The timer {timer.name} is {format_age(timer.lateness)} late. {timer.error}".rstrip()
            advice = "See the log of worker-timers for its last run, and that its canary comes through."
            yield Finding(Level.DEGRADED, "timers", text, advice)
        elif timer.state is TimerState.LATE:
            text = f"The timer {timer.name} is {format_age(timer.lateness)} late."
            yield Finding(Level.WARNING, "timers", text, "If it stays so, see the log of worker-timers.")
        elif timer.state is TimerState.OFF:
            text = f"The timer {timer.name} is switched off in the schedule."
            yield Finding(Level.WARNING, "timers", text, f"Enable “{timer.entry}” among the periodic tasks.")
        if timer.failed:
            text = f"Rows that failed in the last run of {timer.name}: {timer.failed}."
            yield Finding(Level.WARNING, "timers", text, "The log of worker-timers has a traceback for each.")


def _outbox(health: Health) -> Iterator[Finding]:
    for queue in health.outbox:
        name = f"outbox-{queue.name.value}"
        if queue.pause is not None:
            text = f"The queue {queue.name.value} is paused by {queue.pause.by}: {queue.pause.reason}"
            yield Finding(Level.DEGRADED, name, text, "Resume it on the operations page once the reason is gone.")
        elif queue.refusal is not None:
            text = f"The provider of {queue.name.value} refuses our account: {queue.refusal.reason}"
            advice = "See its own page: key, quota, bill, sender. What is owed waits, and leaves by itself."
            yield Finding(Level.DEGRADED, name, text, advice)
        elif queue.oldest_ready_age and queue.oldest_ready_age > BEHIND_AFTER:
            oldest = format_age(queue.oldest_ready_age)
            text = f"Rows of {queue.name.value} left waiting: {queue.ready}, the oldest for {oldest}."
            yield Finding(
                Level.DEGRADED, name, text, f"Start more of `worker-{queue.name.value}`, or see why it hangs."
            )
        if queue.dead:
            text = f"Dead letters in {queue.name.value}: {queue.dead}."
            advice = "`python manage.py dead_letters list`; mend the cause, then re-drive or discard them."
            yield Finding(Level.WARNING, name, text, advice)


def _mail(health: Health) -> Iterator[Finding]:
    if health.fallback is not None:
        reason = health.fallback.reason
        text = f"The first mail provider takes nothing ({reason}), so mail leaves by the second."
        advice = (
            "See its own page, and its status. Every five minutes one mail tries it; it is used again by itself. "
            "Of what leaves by the second nobody reports whether it arrived."
        )
        yield Finding(Level.WARNING, "mail", text, advice)


def _bounces(figures: BusinessFigures) -> Iterator[Finding]:
    known, bounced = figures.mails_known, figures.mails_bounced
    if bounced >= BOUNCES_LEAST and bounced > known * BOUNCED_MOST:
        text = f"Mails that reached nobody, of {known} reported within a day: {bounced}."
        advice = "See Messages, delivery “Bounced”: addresses that are made up, or our domain refused (`ops_doctor`)."
        yield Finding(Level.WARNING, "mail", text, advice)


def _texts(figures: BusinessFigures) -> Iterator[Finding]:
    """What a channel's provider refuses for our sake, it refuses of each: a key, a bill, a template that was paused."""
    for one in figures.texts:
        owed = one.reached + one.unreached
        if one.unreached >= TEXTS_UNREACHED_LEAST and one.unreached > owed * TEXTS_UNREACHED_MOST:
            text = f"Reminders by {one.channel} that reached nobody there, of {owed} within a day: {one.unreached}."
            advice = "They are mailed. See Messages, kind “text:”, for what its provider says, and docs/channels.md."
            yield Finding(Level.WARNING, "channels", text, advice)


def _business(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.figures is None:
        return
    for rule in snapshot.figures.overdue:
        if rule.oldest_age is not None and rule.oldest_age > OVERDUE_LATER.get(rule.rule, OVERDUE_AFTER):
            age = format_age(rule.oldest_age)
            text = f"Bookings overdue by the rule {rule.rule.value}: {rule.count}, the oldest {age}."
            yield Finding(Level.WARNING, "deadlines", text, "See the timers: one is down, or fails on these bookings.")
    if snapshot.figures.refunds_refused:
        text = f"Refunds refused by the gateway: {snapshot.figures.refunds_refused}."
        yield Finding(Level.WARNING, "refunds", text, "Hand the money out and record it on the booking's page.")
    if (failing := snapshot.figures.oldest_receiver_age) and failing > RECEIVER_FAILS_FOR:
        text = (
            f"Servers that take none of our webhooks: {snapshot.figures.receivers_failing}, for {format_age(failing)}."
        )
        yield Finding(Level.WARNING, "webhooks", text, "See Subscriptions; tell whoever runs it, or end it.")
    yield from _gateways(snapshot.figures.gateways)
    yield from _bounces(snapshot.figures)
    yield from _texts(snapshot.figures)
    if (left := snapshot.figures.data_request_left) is not None and left < policy.DATA_REQUEST_PRESSES:
        text = f"People who asked about their data and have no answer: {snapshot.figures.data_requests}."
        advice = "See Today, “Asked about their data”: end what it waits for before the deadline."
        yield Finding(Level.WARNING, "data requests", text, advice)
    if (oldest := snapshot.figures.oldest_refund_age) and oldest > REFUND_DUE_FOR:
        text = f"Refunds due: {snapshot.figures.refunds_due}, the oldest for {format_age(oldest)}."
        yield Finding(Level.WARNING, "refunds", text, "See the queue payments, and refunds that the desk owes.")


def _gateways(figures: GatewayFigures) -> Iterator[Finding]:
    if figures.quarantined:
        text = f"Reports of the gateway kept in quarantine within a week: {figures.quarantined}."
        advice = "Open Inbox events, result “quarantined”: compare each with the gateway's own list of payments."
        yield Finding(Level.WARNING, "payments", text, advice)
    if figures.refused:
        text = f"Payments whose events are not signed with our secret, within the hour: {figures.refused}."
        advice = "Compare the webhook's secret at the gateway with ours: it sends nothing any more after a day."
        yield Finding(Level.DEGRADED, "webhooks", text, advice)
    if figures.untold:
        text = f"Captures of the last day that the gateway sent no event of: {figures.untold}."
        advice = (
            "See at the gateway whether its webhook is on and reaches us. We found them by asking, and booked them."
        )
        yield Finding(Level.WARNING, "webhooks", text, advice)
    if figures.oldest_event_age is not None and figures.oldest_event_age > EVENT_WAITS_FOR:
        oldest = format_age(figures.oldest_event_age)
        text = f"Events that wait in the inbox: {figures.events_waiting}, the oldest {oldest}."
        advice = "See the timer apply_events: it is down, or fails on them."
        yield Finding(Level.DEGRADED, "webhooks", text, advice)
    if figures.pages_left:
        text = f"Pages of a gateway that could not be closed: {figures.pages_left}."
        advice = "Close them at the gateway; what is paid there goes back by itself."
        yield Finding(Level.WARNING, "payments", text, advice)
    if figures.uncompared_for > UNCOMPARED_AFTER:
        text = f"Our books were not compared with a gateway's for {format_age(figures.uncompared_for)}."
        advice = "See the queue payments and the gateway; `python manage.py reconcile --dry-run` says why."
        yield Finding(Level.WARNING, "payments", text, advice)


def components(findings: tuple[Finding, ...], level: Level) -> list[str]:
    """The names of what is wrong at `level`, each once, in the order found."""
    return list(dict.fromkeys(finding.component for finding in findings if finding.level is level))
