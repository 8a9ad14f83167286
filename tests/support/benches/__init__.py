"""Every gateway that we speak to, with a fake of it. A new adapter adds its line here, and passes the same tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.benches.bench import Bench
from tests.support.benches.razorpay import RazorpayBench
from tests.support.benches.sandbox import SandboxBench
from tests.support.benches.stripe import StripeBench

BENCHES: dict[str, Callable[[Path], Bench]] = {
    RazorpayBench.name: RazorpayBench,
    SandboxBench.name: SandboxBench,
    StripeBench.name: StripeBench,
}
