"""Which gateways have a fake that runs as a process of its own."""

from __future__ import annotations

FAKES = {"razorpay": "tests.support.fake_razorpay", "stripe": "tests.support.fake_stripe"}


def hook(url: str, gateway: str) -> str:
    """Where a stack at `url` takes this gateway's events."""
    return f"{url}/api/hooks/payments/{gateway}/"
