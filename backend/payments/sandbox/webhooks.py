"""Delivers the sandbox gateway's webhooks, signed anew each time, until each is answered with a 2xx."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

import requests

from backend.payments.sandbox.store import Store, Webhook
from backend.payments.sandbox.wire import SIGNATURE_HEADER, sign

GIVE_UP_AFTER = timedelta(days=1)
LONGEST_PAUSE_SECONDS = 30.0
TICK_SECONDS = 0.5  # how exactly a LATE capture, a retry and a SIGTERM are on time
TIMEOUT_SECONDS = (2.0, 3.0)  # connect, read; a stop waits this long at most

logger = logging.getLogger(__name__)


def deliver_until(is_stopping: Callable[[], bool], store: Store, url: str, secret: str) -> None:
    """Send what is due and let late things happen, one at a time, until told to stop."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy meant for the internet must not see these
        while not is_stopping():
            store.reported.clear()
            store.advance(time.time())
            for webhook in store.due_webhooks(time.time()):
                if is_stopping():
                    return
                _deliver(session, store, webhook, url, secret)
            store.reported.wait(TICK_SECONDS)


def next_attempt(webhook: Webhook, now: float) -> float | None:
    """When (Unix seconds) to try again after a failure: in 1, 1.5, 2.3, 3.4 … 30 s; None a day after the fact."""
    if now - webhook.created_at >= GIVE_UP_AFTER.total_seconds():
        return None
    # capped before the power: a day of attempts would overflow a float
    return now + min(LONGEST_PAUSE_SECONDS, 1.5 ** min(webhook.attempts, 10))


def _deliver(session: requests.Session, store: Store, webhook: Webhook, url: str, secret: str) -> None:
    failure = _post(session, webhook, url, secret)
    if not failure:
        store.tried(webhook, None)
        return
    next_at = next_attempt(webhook, time.time())
    store.tried(webhook, next_at)
    if next_at is None:
        logger.error("webhook %s given up after a day: %s", webhook.event_id, failure)
    elif webhook.attempts == 0:
        logger.warning("webhook %s not delivered, will be tried again: %s", webhook.event_id, failure)


def _post(session: requests.Session, webhook: Webhook, url: str, secret: str) -> str:
    """Send it; "" when taken, else what went wrong."""
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: sign(webhook.body, secret, time.time()),
    }
    try:
        answer = session.post(url, data=webhook.body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return type(error).__name__
    return "" if 200 <= answer.status_code < 300 else f"HTTP {answer.status_code}"
