"""What providers post to us, by real HTTP: late, shuffled, tripled; beside it what others forge, STOPs and bounces."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import requests

from tests.support import mail_events
from tests.support.fake_channels.base import FakeChannel, Hook, Taken
from tests.texts.plan import Journal
from tests.texts.postbox import PROVIDER, Mailed, Postbox

POSTERS = 6
LOOK_EVERY = 0.1  # second
DELIVERED, FAILED = 0.75, 0.87  # up to there; the rest is never heard of
LATE, TRIPLED, FORGED, STOPS, BOUNCES = 0.2, 0.3, 0.3, 0.05, 0.1  # of all
TRIES = 4  # of a genuine one, as providers repeat what was not taken


@dataclass
class Reporter:
    """Watches what the fakes took, and says what becomes of it."""

    url: str
    fakes: Mapping[str, FakeChannel]
    postbox: Postbox
    journal: Journal
    fallback_after: float
    chance: random.Random
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _over: bool = False
    _in_hand: int = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the block ends."""
        threads = [threading.Thread(target=self._watch), *(threading.Thread(target=self._post) for _ in range(POSTERS))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._over = True
                self._lock.notify_all()
            for thread in threads:
                thread.join()

    def is_quiet(self) -> bool:
        """Whether all was said that there is to say."""
        with self._lock:
            return not self._due and not self._in_hand

    def _watch(self) -> None:
        seen = {**dict.fromkeys(self.fakes, 0), "mail": 0}
        while not self._over:
            for name, fake in self.fakes.items():
                for taken in fake.taken[seen[name] :]:
                    seen[name] += 1
                    self._plan(name, fake, taken)
            for mailed in self.postbox.taken[seen["mail"] :]:
                seen["mail"] += 1
                if self.chance.random() < BOUNCES:
                    self._later(self.chance.uniform(0, 2), lambda mailed=mailed: self._bounce(mailed))
            time.sleep(LOOK_EVERY)

    def _plan(self, name: str, fake: FakeChannel, taken: Taken) -> None:
        chance, provider = self.chance, fake.provider
        drawn = chance.random()
        outcome = "delivered" if drawn < DELIVERED else "failed" if drawn < FAILED else ""
        kept = {"delivered": self.journal.delivered, "failed": self.journal.failed}.get(outcome)
        after = self.fallback_after * chance.uniform(0.5, 1.8) if chance.random() < LATE else chance.uniform(0, 1.5)
        if kept is not None:
            for _ in range(3 if chance.random() < TRIPLED else 1):
                made = lambda: provider.report(taken, outcome)  # noqa: E731  # signed when it is sent
                self._later(after + chance.uniform(0, 2), self._genuine(name, made, kept, taken.phone))
        self._later(chance.uniform(0, 2), self._genuine(name, lambda: provider.report(taken, "sent"), {}, taken.phone))
        if chance.random() < FORGED:
            opposite = "failed" if outcome == "delivered" else "delivered"
            for made in (
                lambda: provider.report(taken, opposite, forged=True),
                lambda: provider.says(taken.phone, "STOP", forged=True),
            ):
                self._later(chance.uniform(0, 2), lambda made=made: self._forged(name, made()))
        if chance.random() < STOPS:
            made = lambda: provider.says(taken.phone, "STOP")  # noqa: E731  # as above
            self._later(chance.uniform(0, 3), self._genuine(name, made, self.journal.stopped, taken.phone))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), act))

    def _post(self) -> None:
        while not self._over:
            with self._lock:
                is_due = bool(self._due) and self._due[0][0] <= time.monotonic()
                act = heapq.heappop(self._due)[2] if is_due else None
                self._in_hand += act is not None
            if act is None:
                time.sleep(0.02)
                continue
            try:
                act()
            finally:
                with self._lock:
                    self._in_hand -= 1

    # -- what is posted ------------------------------------------------------------------------------------------------

    def _genuine(self, name: str, made: Callable[[], Hook], kept: dict[str, float], phone: str) -> Callable[[], None]:
        def act() -> None:
            for _ in range(TRIES):
                if 200 <= self._send(f"messages/{name}", made()) < 300:
                    self.journal.first(kept, phone)
                    return
                time.sleep(1)
            self.journal.refused.append(f"{name} {phone}")

        return act

    def _forged(self, name: str, hook: Hook) -> None:
        self.journal.forged.append(self._send(f"messages/{name}", hook))

    def _bounce(self, mailed: Mailed) -> None:
        content = mail_events.body(PROVIDER, "bounced", mail_id=mailed.id, ours=mailed.uuid)
        headers, content_type = mail_events.signed(PROVIDER, content)
        began = time.monotonic()
        for _ in range(TRIES):
            status = self._send(f"mail/{PROVIDER}", Hook({**headers, "Content-Type": content_type}, content))
            if 200 <= status < 300:
                self.journal.bounces.setdefault(mailed.uuid, (began, time.monotonic()))
                return

    def _send(self, where: str, hook: Hook) -> int:
        """0: no answer."""
        try:
            url = f"{self.url}/api/hooks/{where}/"
            return requests.post(url, hook.body, headers=hook.headers, timeout=20).status_code
        except requests.RequestException:
            return 0
