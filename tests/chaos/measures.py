"""What the storm did to those who asked: failures outside the excused seconds, and how soon each thing worked again."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from backend.outbox.models import Message
from tests.chaos.checker import is_accepted
from tests.chaos.faults import OF_GATEWAY, Kind
from tests.chaos.figures import Figure, none_of, spread
from tests.chaos.journal import Happened, Journal, Request
from tests.chaos.stack import Stack, lines

EXCUSES = (Kind.WEB, Kind.WEB_CHILD, Kind.POSTGRES, Kind.POOLER)
BACK_FOR = 2.0  # seconds; web or PostgreSQL counts as starting until this long after its first answer


def requests_in_storm(journal: Journal, *, is_timed: bool = True) -> list[Figure]:
    """Answers that blame us, or none at all, while neither a web process nor PostgreSQL was starting.

    Which seconds those are depends on the machine's speed, so nothing is demanded without `is_timed`.
    """
    is_troubled = bool(journal.of(*OF_GATEWAY))
    without_gateway = [request for request in journal.requests if is_troubled and _is_the_gateways(request)]
    excused = [(fault.at - 0.1, _first_answer(journal, fault) + BACK_FOR) for fault in journal.of(*EXCUSES)]
    # what a lost host had in hand; while it is away the other answers all
    excused += [(fault.at - 0.1, fault.at + BACK_FOR) for fault in journal.of(Kind.HOST)]
    failed = [request for request in journal.requests if request.failed and request not in without_gateway]
    guilty = [
        request
        for request in failed
        if not any(since <= request.at + request.took and request.at <= until for since, until in excused)
    ]
    name = "of them failed otherwise (5xx, or no answer)"
    return [
        Figure("requests in the storm", str(len(journal.requests))),
        Figure("of them failed while web or PostgreSQL started", str(len(failed) - len(guilty))),
        Figure("of them told that the gateway does not answer", str(len(without_gateway))),
        none_of(name, [_told(request) for request in guilty]) if is_timed else Figure(name, str(len(guilty))),
        spread("their seconds p50 / p99 / max", [request.took for request in journal.requests]),
    ]


def recovery(stack: Stack, journal: Journal) -> list[Figure]:
    """Seconds from each fault to the first thing asked for after it that was done: p50 and max by kind."""
    took: dict[Kind, list[float]] = defaultdict(list)
    for fault in journal.faults:
        back_at = _works_again(stack, journal, fault)
        if back_at is not None:
            took[fault.kind].append(back_at - fault.at)
    return [
        Figure(f"recovered from: {kind}", f"{median(seconds):.1f} / {max(seconds):.1f} s ({len(seconds)})")
        for kind, seconds in sorted(took.items())
    ]


def waits(stack: Stack) -> Figure:
    """Seconds from when a mail was due to its first acceptance."""
    first: dict[str, float] = {}
    for call in lines(stack.mail_log):
        if is_accepted(call):
            first.setdefault(call["key"], call["at"])
    due = {str(row.uuid): row.not_before.timestamp() for row in Message.objects.filter(queue="mail")}
    return spread("a mail's wait p50 / p99 / max", [at - due[key] for key, at in first.items() if key in due])


def _works_again(stack: Stack, journal: Journal, fault: Happened) -> float | None:
    if fault.kind in EXCUSES:
        return _first_answer(journal, fault)
    if fault.victim.startswith(("worker-payments", "worker-timers", "gateway")):
        return None  # its twin goes on, and nothing outside tells whose work it was
    accepted = sorted((call["at"], call["key"]) for call in lines(stack.mail_log) if is_accepted(call))
    asked = {str(row.uuid): row.created_at.timestamp() for row in Message.objects.filter(queue="mail")}
    return next((at for at, key in accepted if asked.get(key, 0.0) >= fault.at), None)


def _first_answer(journal: Journal, fault: Happened) -> float:
    """When the first request sent after the fault's end was answered; the fault's end when none was sent."""
    ends = [r.at + r.took for r in journal.requests if r.at >= fault.until and not r.failed]
    return min(ends, default=fault.until)


def _is_the_gateways(request: Request) -> bool:
    """We asked it while the visitor waited, and it failed us."""
    return request.status == 503 and request.door.endswith("/complete-payment/")


def _told(request: Request) -> str:
    return f"{request.at:.2f} {request.door} came {request.status or 'with nothing'} after {request.took:.2f} s"
