"""The sandbox gateway with a log of every call, whose webhooks come three times and out of order.

Run as a process: `python -m tests.chaos.gateway LOG SEED`; settings come from the environment, as the sandbox's do.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings

from backend.core.outgoing.fields import Fields
from backend.payments.sandbox import webhooks
from backend.payments.sandbox.server import Answer, SandboxServer, _Handler
from backend.payments.sandbox.store import Store, Webhook
from backend.payments.sandbox.wire import HOOK_PATH

TIMES = 3  # deliveries of each webhook
HELD_BACK = 0.3  # the share of webhooks that stay behind while younger ones go


class Log:
    """One JSON object a line, written before the answer leaves."""

    def __init__(self, path: Path) -> None:
        self._file, self._lock = path.open("a"), threading.Lock()

    def note(self, **facts: object) -> None:
        with self._lock:
            self._file.write(json.dumps({"at": time.time(), **facts}) + "\n")
            self._file.flush()


class LoggedServer(SandboxServer):
    """The sandbox's own server; only its log is ours."""

    def __init__(self, address: tuple[str, int], store: Store, secret: str, log: Log) -> None:
        super().__init__(address, store, secret)
        self.call_log = log
        self.RequestHandlerClass = _LoggedHandler


class _LoggedHandler(_Handler):
    server: LoggedServer

    def _answer(self, fields: Fields) -> Answer:
        outcome = "failed"
        try:
            answer = super()._answer(fields)
            outcome = "answered"
            return answer
        finally:
            self.server.call_log.note(call=self.command, path=self.path, outcome=outcome)


def deliver(session: requests.Session, store: Store, url: str, log: Log, chosen: random.Random) -> None:
    """One round: three deliveries of what is due, shuffled; some of it waits for a later round."""
    store.advance(time.time())
    due = [webhook for webhook in store.due_webhooks(time.time()) if chosen.random() > HELD_BACK]
    failed: set[str] = set()
    deliveries = due * TIMES
    chosen.shuffle(deliveries)
    for webhook in deliveries:
        failure = webhooks._post(session, webhook, url, settings.SANDBOX_SECRET)
        log.note(call="webhook", path=webhook.event_id, outcome=failure or "taken")
        if failure:
            failed.add(webhook.event_id)
    for webhook in due:
        store.tried(webhook, _again_at(webhook) if webhook.event_id in failed else None)


def _again_at(webhook: Webhook) -> float | None:
    return webhooks.next_attempt(webhook, time.time())


def main(log_path: str, seed: str) -> None:
    log, chosen = Log(Path(log_path)), random.Random(seed)
    store = Store(Path(settings.VAR_DIR) / "sandbox.sqlite3")
    url = urlsplit(settings.SANDBOX_URL)
    server: Any = LoggedServer((url.hostname or "", url.port or 0), store, settings.SANDBOX_SECRET, log)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    with requests.Session() as session:
        session.trust_env = False
        while True:
            deliver(session, store, settings.PUBLIC_URL + HOOK_PATH, log, chosen)
            store.reported.wait(0.3)
            store.reported.clear()


if __name__ == "__main__":
    main(*sys.argv[1:3])
