"""Drives the model for long: `python -m tests.model [--steps N] [--seed N]`, on DATABASE_URL or on SQLite.

Exit codes: 0 all held; 1 something broke, or the run reached too little to show anything.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import django

from config.local import check, keys
from config.local.console import end_in_order, say

if TYPE_CHECKING:
    from tests.model.coverage import Coverage

MOST = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    end_in_order()
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=5000, help="how many calls of intents, at least")
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat it")
    given = parser.parse_args(arguments)
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    _prepare()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    say(f"{connection.vendor}, {given.steps} steps or more, seed {seed}")
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        return _rounds(given.steps, seed)
    finally:
        teardown_databases(databases, verbosity=0)


def _prepare() -> None:
    """Only what the checks let through decides: an exported policy or mail server must not."""
    kept = {"DATABASE_URL", *check.KEPT}
    for name in set(os.environ) - kept:
        if not name.startswith(check.KEPT_PREFIXES):
            del os.environ[name]
    os.environ.update(keys.generate(), **check.TESTING, ENV_FILE=os.devnull, DJANGO_SETTINGS_MODULE="config.settings")
    django.setup()


def _rounds(steps: int, seed: int) -> int:
    """Rounds with seeds of their own, so that one that fails is repeated alone.

    While something was not reached they go on, to MOST times `steps`: what happens once in 8,000 steps is missed by
    chance in that many, and not in five times as many.
    """
    from tests.model import lifecycle
    from tests.model.coverage import Coverage

    coverage = lifecycle.Lifecycle.coverage = Coverage()
    while coverage.steps < steps or (coverage.steps < MOST * steps and _gaps(coverage)):
        try:
            lifecycle.run(seed=seed)
        except Exception:  # noqa: BLE001 -- whatever broke is printed with the way to see it again
            traceback.print_exc(file=sys.stdout)
            say(f"FAILED. To repeat: make model SEED={seed}")
            return 1
        say(f"seed {seed}: nothing broke, {coverage.steps} steps so far")
        seed += 1
    return _sum_up(coverage)


def _gaps(coverage: Coverage) -> list[str]:
    from tests.model import lifecycle

    return coverage.gaps(lifecycle.rules(), lifecycle.intents())


def _sum_up(coverage: Coverage) -> int:
    from tests.model import lifecycle

    say(coverage.report(lifecycle.rules()))
    gaps = _gaps(coverage)
    for gap in gaps:
        say(f"FAILED: {gap}")
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main())
