"""Delivers webhooks as gateways do: until a 2xx comes, with growing pauses, for a day; then the webhook is off."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from tests.support.fake_gateway.books import Books, Outbox, Webhook

GIVE_UP_AFTER = 86_400.0
LONGEST_PAUSE = 30.0
TICK_SECONDS = 0.05
PATIENCE_SECONDS = 5.0  # theirs
STAYS_BEHIND = 3.0  # seconds, at the most each time
SENDERS, AT_ONCE = 4, 100  # threads, and events of one round


@dataclass
class Manner:
    """How events reach `url` ("": they do not). `copies` of each, and shuffled: no order is promised."""

    url: str = ""
    copies: int = 1
    is_shuffled: bool = False
    held_back: float = 0.0  # the share of events that stay behind for some seconds while younger ones go
    is_disabled: bool = False  # after a day of refusals, until somebody enables it


def instruct(manner: Manner, outbox: Outbox, body: Mapping[str, Any]) -> None:
    """The control door's `webhooks`: what it says of `url`, `copies`, `shuffled`, `held_back` and the rest."""
    manner.url = body.get("url", manner.url)
    manner.copies = int(body.get("copies", manner.copies))
    manner.is_shuffled = bool(body.get("shuffled", manner.is_shuffled))
    manner.held_back = float(body.get("held_back", manner.held_back))
    manner.is_disabled = bool(body.get("disabled", manner.is_disabled))
    outbox.is_silent = bool(body.get("silent", outbox.is_silent))
    outbox.secret = body.get("secret", outbox.secret)


class Delivery:
    """The thread that delivers, and lets what is due happen."""

    def __init__(self, books: Books, manner: Manner, *, seed: int = 0) -> None:
        self.books = books
        self.manner = manner
        self.took: list[float] = []  # seconds until each 2xx
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._senders = ThreadPoolExecutor(SENDERS)
        self._of_sender = threading.local()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * PATIENCE_SECONDS)
        self._senders.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            self.books.advance()
            if self.manner.url and not self.manner.is_disabled:
                self._deliver_due()

    def _deliver_due(self) -> None:
        """Several at a time: copies of one event, and events about one payment, arrive beside each other."""
        now = self.books.now()
        with self.books.lock:
            due = [each for each in self.books.outbox.webhooks if each.next_at is not None and each.next_at <= now]
        due = [each for each in due[:AT_ONCE] if not self._stays_behind(each, now)]
        deliveries = [index for index in range(len(due)) for _ in range(max(1, self.manner.copies))]
        if self.manner.is_shuffled:
            self._random.shuffle(deliveries)
        answers = self._senders.map(lambda index: self._post(due[index]), deliveries)
        taken = {index for index, is_taken in zip(deliveries, answers, strict=True) if is_taken}
        for index, webhook in enumerate(due):
            self._note(webhook, is_taken=index in taken)

    def _stays_behind(self, webhook: Webhook, now: float) -> bool:
        if webhook.tries or self._random.random() >= self.manner.held_back:
            return False
        webhook.next_at = now + self._random.uniform(0, STAYS_BEHIND)
        return True

    def _post(self, webhook: Webhook) -> bool:
        began = time.monotonic()
        try:
            answer = self._session().post(
                self.manner.url,
                data=webhook.body,
                headers=webhook.headers,
                timeout=PATIENCE_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException:
            return False
        if not 200 <= answer.status_code < 300:
            return False
        self.took.append(time.monotonic() - began)
        return True

    def _session(self) -> requests.Session:
        if not hasattr(self._of_sender, "session"):
            self._of_sender.session = requests.Session()
            self._of_sender.session.trust_env = False
        session: requests.Session = self._of_sender.session
        return session

    def _note(self, webhook: Webhook, *, is_taken: bool) -> None:
        webhook.tries += 1
        now = self.books.now()
        if is_taken:
            webhook.next_at = None
        elif now - webhook.made_at >= GIVE_UP_AFTER:
            webhook.next_at, self.manner.is_disabled = None, True
        else:
            webhook.next_at = now + min(LONGEST_PAUSE, 1.5 ** min(webhook.tries, 10))
