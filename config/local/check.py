"""Every check of the project, ending at the first that fails: `python -m config.local.check`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
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
    "test_api_server.py",
    "test_environment.py",
    "test_hours.py",
    "test_local_stack.py",
    "test_machine.py",
    "test_no_leaks.py",
    "test_notices.py",
    "test_notices_calling_off.py",
    "test_notices_texts.py",
    "test_notices_truth.py",
    "test_ops_alerts.py",
    "test_readme.py",
    "test_roles.py",
    "test_sandbox_gateway.py",
    "test_vendored.py",
    "test_watched.py",
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


# Two at a time, the longest first
READING = (
    Check("types", (PYTHON, "-m", "mypy")),
    Check("lint", (PYTHON, "-m", "ruff", "check", "-q")),
    Check("format", (PYTHON, "-m", "ruff", "format", "-q", "--check")),
    Check("imports", (f"{Path(PYTHON).parent}/lint-imports", "--no-logo", "--no-cache")),
    Check("migrations", (PYTHON, "manage.py", "makemigrations", "--check", "--dry-run")),
    Check("deployment", (PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"), DEPLOYED),
)
# One after the other: each takes the whole machine
RUNNING = (
    Check("tests on SQLite", (*PYTEST, *_without(ONLY_ON_POSTGRESQL))),
    Check("tests on PostgreSQL", (PYTHON, "-m", "config.local.postgres", "--", *PYTEST, *_without(ONLY_ON_SQLITE))),
)


def main() -> int:
    """The exit code of the first check that fails, or 0."""
    begun = time.monotonic()
    throwaway = keys.generate()
    with ThreadPoolExecutor(2) as two:
        read = [(check, two.submit(_read, check, throwaway)) for check in READING]
    for check, done in read:
        code, said = done.result()
        _say(f"— {check.title}\n{said}".rstrip())
        if code:
            return _failed(check, code)
    for check in RUNNING:
        _say(f"— {check.title}")
        code = subprocess.call(check.command, cwd=PROCFILE.parent, env=_environment(check, throwaway))  # noqa: S603 -- the table above
        if code:
            return _failed(check, code)
    _say(f"All {len(READING + RUNNING)} checks passed in {time.monotonic() - begun:.0f} s.")
    return 0


def _read(check: Check, throwaway: Mapping[str, str]) -> tuple[int, str]:
    """The exit code, and all that was said."""
    ended = subprocess.run(  # noqa: S603 -- the table above
        check.command,
        cwd=PROCFILE.parent,
        env=_environment(check, throwaway),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout


def _failed(check: Check, code: int) -> int:
    _say(f"FAILED: {check.title}")
    return code


def _environment(check: Check, throwaway: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    return {**kept, **throwaway, **check.variables, "ENV_FILE": os.devnull}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
