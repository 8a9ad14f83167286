"""A storm for webhooks: `python -m config.local.postgres -- python -m tests.webhooks [SECONDS]`; alone on SQLite.

Two workers, killed and started again, deliver the events of real bookings to a receiver that answers 500, hangs and
drops; beside it stand subscriptions whose addresses lead where nothing may be called. Then calm. What is asked: each
event at least once, those of a booking in order, and not one call to a forbidden address.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from config.local import keys
from config.local.console import end_in_order
from tests.support.server import ROOT
from tests.support.webhook_receiver import DROPPED, HANGS, WebhookReceiver, listening

WORKERS = 2
FAILS = 0.4  # of the calls in the storm
KILLED_EVERY, BOOKED_EVERY = 8.0, 1.0  # seconds; a worker needs some to start
CALM = 180.0  # seconds at the longest: twice a lease, and the waits
FORBIDDEN = (
    "http://127.0.0.1:{}/", "http://[::1]:{}/", "http://2130706433:{}/", "http://0x7f.1:{}/", "http://localhost.:{}/",
    "http://x@localhost:{}/", "http://LOCALHOST:{}/", "https://127.0.0.1:{}/",
)  # fmt: skip


def main(seconds: float) -> int:
    """0: all held."""
    end_in_order()
    with tempfile.TemporaryDirectory() as folder, listening() as receiver, listening() as trap:
        os.environ.update(_environment(folder))
        subprocess.run([sys.executable, "manage.py", "release"], cwd=ROOT, check=True, capture_output=True)
        import django

        django.setup()
        _subscribe(receiver, trap)
        _storm(receiver, seconds)
        return _judge(receiver, trap)


def _environment(folder: str) -> dict[str, str]:
    waits = {"BACK_OFF_MOST": "2s", "WEBHOOK_BACK_OFF_MOST": "2s", "UNDO_WINDOW": "0s", "DATABASE_POOL": "0"}
    where = {"VAR_DIR": folder, "ENV_FILE": os.devnull, "REDIS_URL": ""}
    given = {"DEBUG": "1", "CALL_LOOPBACK": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    return {**keys.generate(), **waits, **where, **given}


def _subscribe(receiver: WebhookReceiver, trap: WebhookReceiver) -> None:
    from django.utils import timezone

    from backend.webhooks import subscriptions
    from backend.webhooks.events import EventType

    for address in (receiver.url, *(spelling.format(trap.server_port) for spelling in FORBIDDEN)):
        subscriptions.subscribe(name=address, address=address, events=EventType.values, by="storm", now=timezone.now())


def _storm(receiver: WebhookReceiver, seconds: float) -> None:
    chance = random.Random(7)
    trouble = (500, 503, 302, HANGS, DROPPED)
    receiver.answer = lambda _body: chance.choice(trouble) if chance.random() < FAILS else 204
    ends_at, booked = time.monotonic() + seconds, 0
    with _workers(lambda: time.monotonic() < ends_at):
        while time.monotonic() < ends_at:
            booked += 1
            _book(booked)
            time.sleep(BOOKED_EVERY)
        receiver.answer = lambda _body: 204
        _wait()


@contextmanager
def _workers(may_kill: Any) -> Iterator[None]:
    """As many as there are, each by itself, as when no broker wakes it; one is killed every now and then."""
    command, over = [sys.executable, "-m", "workers.alone", "calls"], threading.Event()
    running = [_started(command) for _ in range(WORKERS)]

    def kill() -> None:
        while not over.wait(KILLED_EVERY):
            if may_kill():
                number = random.randrange(WORKERS)
                running[number].kill()
                running[number].wait()
                running[number] = _started(command)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
        for process in running:
            process.kill()
            process.wait()


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _book(number: int) -> None:
    from django.utils import timezone

    from tests.support import scenarios

    now = timezone.now()
    scenarios.call_off(scenarios.pending(f"v{number}@example.org", now=now), now)


def _owed() -> Any:
    """The rows for the receiver, which is the first."""
    from backend.outbox.models import Message
    from backend.webhooks.models import Subscription

    return Message.objects.filter(queue="calls", subject_id=Subscription.objects.earliest("pk").pk)


def _wait() -> None:
    ends_at = time.monotonic() + CALM
    while time.monotonic() < ends_at and _owed().filter(state="waiting").exists():
        time.sleep(1)


def _judge(receiver: WebhookReceiver, trap: WebhookReceiver) -> int:
    owed = {str(uuid) for uuid in _owed().values_list("uuid", flat=True)}
    taken = receiver.taken()
    missing, disordered = owed - {call.event_id for call in taken}, _disordered(taken)
    print(f"events owed: {len(owed)}; calls: {len(receiver.calls)}; taken: {len(taken)}")  # noqa: T201
    print(f"never taken: {len(missing)}; bookings out of order: {disordered}; calls to forbidden: {len(trap.calls)}")  # noqa: T201
    return int(bool(missing or disordered or trap.calls or not owed))


def _disordered(taken: list[Any]) -> int:
    """Bookings of which a step was first taken before an older one."""
    first: dict[int, list[int]] = defaultdict(list)
    for call in taken:
        steps = first[call.said["data"]["booking"]]
        if call.said["data"]["sequence"] not in steps:
            steps.append(call.said["data"]["sequence"])
    return sum(steps != sorted(steps) for steps in first.values())


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0))
