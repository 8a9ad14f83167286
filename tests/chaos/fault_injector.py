"""Injects the planned faults into a running stack, and ends those that last."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress

import requests

from tests.chaos import door
from tests.chaos.faults import OF_GATEWAY, Fault, Kind
from tests.chaos.journal import Journal
from tests.chaos.process import Part
from tests.chaos.provider_modes import ProviderMode
from tests.chaos.stack import Stack

MODES = {
    Kind.MAIL_FAILING: ProviderMode.FAILING,
    Kind.MAIL_BUSY: ProviderMode.BUSY,
    Kind.MAIL_HANGING: ProviderMode.HANGING,
    Kind.MAIL_DROPPING: ProviderMode.DROPPING,
}
PATIENCE = 20.0  # seconds
VICTIMS = {
    Kind.WORKER: "worker",
    Kind.CHILD: "worker",
    Kind.BEAT: "beat",
    Kind.WEB: "web",
    Kind.WEB_CHILD: "web",
    Kind.POOLER: "pooler",
}


class FaultInjector:
    """The storm over one stack."""

    def __init__(self, stack: Stack, journal: Journal) -> None:
        self._stack, self._journal = stack, journal
        self._broker_taken = threading.Lock()  # a frozen broker is not killed, nor a killed one frozen

    def blow(self, faults: list[Fault]) -> None:
        """Inject each at its time; returns when all are over."""
        began, running = time.monotonic(), []
        for fault in faults:
            time.sleep(max(0.0, began + fault.at - time.monotonic()))
            thread = threading.Thread(target=self._inject, args=(fault,), daemon=True)
            thread.start()
            running.append(thread)
        for thread in running:
            thread.join()

    def _inject(self, fault: Fault) -> None:
        chosen = random.Random(fault.seed)
        if fault.kind in VICTIMS:
            self._kill(fault.kind, chosen)
        elif fault.kind in MODES:
            self._upset(fault)
        elif fault.kind in OF_GATEWAY:
            self._trouble_gateway(fault, chosen)
        elif fault.kind is Kind.POSTGRES:
            self._restart_postgres()
        elif fault.kind is Kind.HOST:
            self._lose_host(fault)
        else:
            with self._broker_taken:
                self._disturb_broker(fault)

    def _kill(self, kind: Kind, chosen: random.Random) -> None:
        candidates = self._stack.named(VICTIMS[kind])
        if not candidates:
            return
        part = chosen.choice(candidates)
        happened, pid = self._journal.fault(kind, part.name), part.pid
        if kind in (Kind.CHILD, Kind.WEB_CHILD) and part.kill_child(chosen):
            return
        part.kill()
        if kind in (Kind.WEB, Kind.WEB_CHILD, Kind.POOLER):
            # orphans answer until the supervisor ends them: wait for the new process
            self._stack.wait_until(lambda: part.pid != pid and self._stack.answers(), f"the return of {part.name}")
            happened.until = time.time()

    def _upset(self, fault: Fault) -> None:
        wanted = {"mode": MODES[fault.kind], "seconds": fault.seconds}
        happened = self._journal.fault(fault.kind, "provider")
        requests.put(f"{self._stack.provider_url}mode", json=wanted, timeout=5)
        time.sleep(fault.seconds)
        happened.until = time.time()

    def _trouble_gateway(self, fault: Fault, chosen: random.Random) -> None:
        """The next asks meet it."""
        self._journal.fault(fault.kind, "gateway")
        door.tell(self._stack.gateway_url, "trouble", kind=OF_GATEWAY[fault.kind], times=chosen.randint(1, 4))

    def _restart_postgres(self) -> None:
        if self._stack.database is None:
            return
        happened = self._journal.fault(Kind.POSTGRES, "postgres")
        self._stack.database.crash()
        self._stack.database.restart()
        happened.until = time.time()

    def _lose_host(self, fault: Fault) -> None:
        """All of it at once; the other goes on alone."""
        happened = self._journal.fault(Kind.HOST, "the second host")
        host = self._stack.second_host()
        for part in host:
            part.lose()
        time.sleep(fault.seconds)
        for part in host:
            part.release()
        happened.until = time.time()

    def _disturb_broker(self, fault: Fault) -> None:
        broker = self._stack.parts["broker"]
        if fault.kind is Kind.REDIS_DEAF:
            wait_for_acknowledgement(self._stack, fault.queue)
        happened = self._journal.fault(fault.kind, fault.queue or "broker")
        if fault.kind is Kind.REDIS_FLUSHED:
            flush(self._stack)
            return
        begin, end = (Part.hold, Part.release) if fault.kind is Kind.REDIS_KILLED else (Part.freeze, Part.thaw)
        begin(broker)
        time.sleep(fault.seconds)
        end(broker)
        happened.until = time.time()


def wait_for_acknowledgement(stack: Stack, queue: str) -> None:
    """Return when a worker has a message of `queue` in hand, which it will acknowledge some milliseconds later.

    Or after PATIENCE without one: a queue may be silent, as after an outage.
    """
    import redis

    until = time.monotonic() + PATIENCE
    client = redis.Redis(unix_socket_path=str(stack.folder / "valkey.sock"), socket_timeout=5)
    with suppress(redis.RedisError, OSError), client.monitor() as monitor:
        for heard in monitor.listen():
            if heard["command"].startswith("HSET unacked ") and f'"{queue}"' in heard["command"][-60:]:
                return
            if time.monotonic() > until:
                return


def flush(stack: Stack) -> None:
    """FLUSHALL; a broker that is away just now has nothing to flush."""
    import redis

    with suppress(redis.RedisError, OSError):
        redis.Redis(unix_socket_path=str(stack.folder / "valkey.sock"), socket_timeout=2).flushall()
