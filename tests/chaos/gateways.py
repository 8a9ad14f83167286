"""With which gateways a storm can be ridden: what the stack is told of each, and the process that stands for it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tests.chaos import door
from tests.support.fake_gateway.fakes import FAKES, hook

if TYPE_CHECKING:
    from tests.chaos.stack import Stack

ALL = ("sandbox", *FAKES)
COPIES = 3  # deliveries of each event
HELD_BACK = 0.3  # the share of events that stay behind while younger ones go
# many rounds of comparing must fit into the storm, and an attempt must outlast the making of its page; who looks every
# second takes what the payments need
POLICY = {
    "RECONCILE_EVERY": "15s",
    "SWEEP_EVERY": "2s",
    "ATTEMPT_LIFETIME": "20s",
    "GATEWAY_ASK_FOR": "20s",
    "PAY_WITHIN": "45s",
}


def has_pages(name: str) -> bool:
    """Whether visitors pay on the gateway's own page."""
    return name in FAKES


def settings(name: str, url: str) -> dict[str, str]:
    """The variables that lead to it."""
    chosen = {"PAYMENT_GATEWAY": name, f"{name.upper()}_URL": url}
    if not has_pages(name):
        return chosen
    return {**chosen, **importlib.import_module(f"{FAKES[name]}.server").VARIABLES, **POLICY}


def program(stack: Stack) -> list[str]:
    """The module that stands for it, and its arguments."""
    if not has_pages(stack.gateway):
        return ["tests.chaos.gateway", str(stack.gateway_log), str(stack.seed)]
    port = stack.gateway_url.rpartition(":")[2]
    told = ["--port", port, "--webhook-url", hook(stack.url, stack.gateway), "--seed", str(stack.seed)]
    return [FAKES[stack.gateway], *told]


def let_loose(stack: Stack) -> None:
    """Events come in copies and out of order; what the bank grants is not captured by itself."""
    if not has_pages(stack.gateway):
        return
    door.tell(stack.gateway_url, "webhooks", copies=COPIES, shuffled=True, held_back=HELD_BACK).raise_for_status()
    if stack.gateway == "razorpay":
        door.tell(stack.gateway_url, "account", captures_by_itself=False).raise_for_status()
