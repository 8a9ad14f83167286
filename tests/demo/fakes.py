"""The fake of a real gateway in a process of its own, and the bank of a stack that takes money by it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.demo.bank import Bank, Pages, Sandbox
from tests.demo.commands import ROOT
from tests.demo.stack import Stack, clean_environment
from tests.support.fake_gateway.fakes import FAKES, hook


def bank_of(stack: Stack, gateway: str) -> Bank:
    """Of the gateway that a stack was begun with."""
    if gateway not in FAKES:
        return Sandbox(*stack.bank)
    return Pages(stack.fake_gateway(gateway), hook(stack.url, gateway), takes_money_late=gateway == "razorpay")


@contextmanager
def fake(gateway: str) -> Iterator[dict[str, str]]:
    """The settings of a stack that takes money by it; its fake runs until the block ends. None for the sandbox."""
    if gateway not in FAKES:
        yield {}
        return
    command = [sys.executable, "-m", FAKES[gateway], "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=clean_environment(""), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().strip() for _ in range(3 if gateway == "stripe" else 4)]
            yield {"PAYMENT_GATEWAY": gateway, **dict(line.split("=", 1) for line in lines)}
        finally:
            process.terminate()
