"""Every check of the project, cheapest first, ending at the first failure: `python -m config.local.check`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.local import keys
from config.local.procfile import PATH as PROCFILE

PYTHON = sys.executable
# One more than most machines have processors: tests of real processes mostly wait
PYTEST = (PYTHON, "-m", "pytest", "-q", "-n", "3", "--dist", "worksteal")
# What runs once. On SQLite: what knows no database, or its own; renders, parses, or opens every address. On PostgreSQL:
# what real processes do together, and what a storm of their ends leaves (`make chaos SQLITE=1` has it on the other)
ONLY_ON_SQLITE = (
    "browser",
    "test_admin_actions.py",
    "test_admin_buttons.py",
    "test_api_bodies.py",
    "test_api_cors.py",
    "test_api_schema.py",
    "test_environment.py",
    "test_hours.py",
    "test_local_stack.py",
    "test_machine.py",
    "test_no_leaks.py",
    "test_notices.py",
    "test_notices_texts.py",
    "test_ops_alerts.py",
    "test_readme.py",
    "test_roles.py",
    "test_sandbox_gateway.py",
    "test_vendored.py",
)
ONLY_ON_POSTGRESQL = (
    "test_admin_races.py",
    "test_api_twice.py",
    "test_clock_beat.py",
    "test_deploy.py",
    "test_deploy_web.py",
    "test_ops_processes.py",
    "test_poison.py",
    "test_stopping.py",
    "test_storm.py",
    "test_web_without_broker.py",
)

# Only these reach the checks: an exported DATABASE_URL must neither decide a test nor be its victim
KEPT = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TMPDIR", "CI"}
KEPT_PREFIXES = ("LC_", "PYTHON", "PYTEST_", "TEST_", "HYPOTHESIS_", "PLAYWRIGHT_", "XDG_", "SSL_CERT_")

TESTING = {"DEBUG": "1", "VAR_DIR": "var/test"}
DEPLOYED = {
    "VAR_DIR": "var/test",
    "PUBLIC_URL": "https://api.example.org",
    "FRONTEND_URL": "https://www.example.org",
    "ALLOWED_HOSTS": "api.example.org",
    "TRUSTED_PROXIES": "1",
}


@dataclass(frozen=True)
class Check:
    """One command, and what it adds to the environment."""

    title: str
    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=lambda: TESTING)


def _without(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"--ignore=tests/{name}" for name in names)


CHECKS = (
    Check("lint", (PYTHON, "-m", "ruff", "check", "-q")),
    Check("format", (PYTHON, "-m", "ruff", "format", "-q", "--check")),
    Check("types", (PYTHON, "-m", "mypy")),
    Check("imports", (f"{Path(PYTHON).parent}/lint-imports", "--no-logo", "--no-cache")),
    Check("migrations", (PYTHON, "manage.py", "makemigrations", "--check", "--dry-run")),
    Check("deployment", (PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"), DEPLOYED),
    Check("tests on SQLite", (*PYTEST, *_without(ONLY_ON_POSTGRESQL))),
    Check("tests on PostgreSQL", (PYTHON, "-m", "config.local.postgres", "--", *PYTEST, *_without(ONLY_ON_SQLITE))),
)


def main() -> int:
    """The exit code of the first check that fails, or 0."""
    begun = time.monotonic()
    throwaway = keys.generate()
    for check in CHECKS:
        _say(f"— {check.title}")
        environment = _environment(check, throwaway)
        code = subprocess.call(check.command, cwd=PROCFILE.parent, env=environment)  # noqa: S603 -- the table above
        if code:
            _say(f"FAILED: {check.title}")
            return code
    _say(f"All {len(CHECKS)} checks passed in {time.monotonic() - begun:.0f} s.")
    return 0


def _environment(check: Check, throwaway: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    return {**kept, **throwaway, **check.variables, "ENV_FILE": os.devnull}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
