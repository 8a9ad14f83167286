"""Runs the sandbox gateway: `python -m backend.payments.sandbox`, until SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from urllib.parse import urlsplit

from django.conf import settings

from backend.core.environment import Misconfigured
from backend.payments.sandbox.server import SandboxServer
from backend.payments.sandbox.store import Store
from backend.payments.sandbox.webhooks import deliver_until
from backend.payments.sandbox.wire import HOOK_PATH

REFUSED = 2  # exit code: started where it may not run, or cannot

logger = logging.getLogger("backend.payments.sandbox")


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        is_allowed = settings.DEBUG or settings.ALLOW_SANDBOX_PAYMENTS
    except Misconfigured as error:
        return _refuse(str(error))
    if not is_allowed:
        return _refuse(
            "The sandbox gateway moves no real money: with DEBUG off it starts only if ALLOW_SANDBOX_PAYMENTS is set."
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    return _run()


def _run() -> int:
    stops: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # only noted here: a handler that sets an Event can deadlock with the loop that waits for it
        signal.signal(number, lambda received, _frame: stops.append(received))
    store = Store(settings.VAR_DIR / "sandbox.sqlite3")
    url = urlsplit(settings.SANDBOX_URL)
    try:
        server = SandboxServer((url.hostname or "127.0.0.1", url.port or 80), store, settings.SANDBOX_SECRET)
    except OSError as error:
        store.close()
        return _refuse(f"The sandbox gateway cannot listen on {settings.SANDBOX_URL}: {error.strerror}.")
    # the webhooks have the main thread, so that a bug in them ends the process and not only the deliveries
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    logger.info("listening on %s, reporting to %s", settings.SANDBOX_URL, settings.PUBLIC_URL)
    try:
        deliver_until(lambda: bool(stops), store, settings.PUBLIC_URL + HOOK_PATH, settings.SANDBOX_SECRET)
    finally:
        server.shutdown()
        server.server_close()
        store.close()
    return 0


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
