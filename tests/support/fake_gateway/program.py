"""A fake as a process of its own."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping

from tests.support.fake_gateway.server import FakeServer


def run(make: Callable[..., FakeServer], variables: Mapping[str, str], *, address: str, secret: str, port: int) -> int:
    """Say the `variables` that lead to it, with its URL as `address`, and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default=variables[secret])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))  # before threads inherit it
    fake = make(**vars(options))
    said = {address: fake.url, **variables, secret: options.webhook_secret}
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in said.items()))
    sys.stdout.flush()
    signal.sigwait((signal.SIGTERM, signal.SIGINT))
    fake.stop()
    return 0
