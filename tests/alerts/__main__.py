"""Proves what operators rely on: `python -m tests.alerts [--only beat canary redis scrape poison | --only rules]`.

Exit codes: 0 all holds, 1 something is missed, 2 it cannot be tried here.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from collections.abc import Sequence

from config.local import keys
from config.local.console import end_in_order, say
from tests.alerts import promtool
from tests.chaos.figures import Figure
from tests.support.server import ROOT

PROOFS = {
    "beat": ("times", "beat"),
    "canary": ("times", "canary"),
    "redis": ("times", "redis_frozen"),
    "scrape": ("times", "scrape"),
    "poison": ("poison", "poison"),
}
KEPT = ("PATH", "HOME", "USER", "LANG", "TMPDIR")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.alerts", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", choices=["rules", *PROOFS], default=["rules", *PROOFS])
    chosen = parser.parse_args(arguments).only
    end_in_order()
    try:
        if not promtool.found():
            promtool.fetch()
        if "rules" in chosen and _rules():
            return 1
        figures = _figures([name for name in chosen if name in PROOFS])
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    missed = [figure for figure in figures if not figure.holds]
    for figure in missed:
        say("\n".join([f"MISSED: {figure.name}", *(f"  {line}" for line in figure.evidence)]))
    if figures and not missed:
        say("Every figure holds.")
    return 1 if missed else 0


def _rules() -> int:
    """Rules, runbooks, and the tests that fail without each alert; pytest's exit code."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    given = {**kept, **keys.generate(), "DEBUG": "1", "VAR_DIR": "var/test", "ENV_FILE": os.devnull}
    files = [f"tests/ops/test_{name}.py" for name in ("alerts", "metrics", "monitoring_files")]
    command = [sys.executable, "-m", "pytest", "-q", *files]
    return subprocess.call(command, cwd=ROOT, env=given)


def _figures(chosen: Sequence[str]) -> list[Figure]:
    if not chosen:
        return []
    from tests.alerts import service as services

    figures: list[Figure] = []
    with services.running() as service:
        say("The service is well, and watched.")
        for name in chosen:
            module, proof = PROOFS[name]  # imported only now: models need the service's environment
            found = getattr(importlib.import_module(f"tests.alerts.{module}"), proof)(service)
            figures += found
            for figure in found:
                limit = f"  ({figure.limit})" if figure.limit else ""
                say(f"{figure.name:70} {figure.value}{limit}{'' if figure.holds else '  MISSED'}")
    return figures


if __name__ == "__main__":
    sys.exit(main())
