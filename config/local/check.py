"""Every check of the project, ending at the first that fails: `python -m config.local.check`.

With arguments, only these tests, on both databases: `… tests/outbox/test_messages.py -k lease`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from config.local import keys
from config.local.console import say
from config.local.procfile import PATH as PROCFILE

PYTHON = sys.executable
# One more than most machines have processors: tests of real processes mostly wait
PYTEST = (PYTHON, "-m", "pytest", "-q", "-n", "3", "--dist", "worksteal")

# Only these reach the checks: an exported DATABASE_URL must neither decide a test nor be its victim
KEPT = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TMPDIR", "CI"}
KEPT_PREFIXES = ("LC_", "PYTHON", "PYTEST_", "TEST_", "HYPOTHESIS_", "PLAYWRIGHT_", "XDG_", "SSL_CERT_")
# A process that may keep no bytecode compiles the project anew, and these checks start hundreds
LEFT_OUT = {"PYTHONDONTWRITEBYTECODE"}

TESTING = {"DEBUG": "1", "VAR_DIR": "var/test"}
DEPLOYED = {
    "VAR_DIR": "var/test",
    "PUBLIC_URL": "https://api.example.org",
    "FRONTEND_URL": "https://www.example.org",
    "ALLOWED_HOSTS": "api.example.org",
    "TRUSTED_PROXIES": "1",
    "ROOMS": "jitsi",
    "JITSI_URL": "https://meet.example.org",
    "JITSI_APP_ID": "mindsettler",
    "JITSI_SECRET": "of-a-check-that-opens-no-room-at-all",
}


@dataclass(frozen=True)
class Check:
    """One command, and what it adds to the environment."""

    title: str
    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=lambda: TESTING)


# Half a minute on one processor where nothing is cached: beside others, and told after the tests on SQLite
TYPES = Check("types", (PYTHON, "-m", "mypy"))
READING = (
    Check("lint", (PYTHON, "-m", "ruff", "check", "-q")),
    Check("format", (PYTHON, "-m", "ruff", "format", "-q", "--check")),
    Check("imports", (f"{Path(PYTHON).parent}/lint-imports", "--no-logo", "--no-cache")),
    Check("migrations", (PYTHON, "manage.py", "makemigrations", "--check", "--dry-run")),
    Check("deployment", (PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"), DEPLOYED),
)
NO_TESTS = 5  # pytest's exit code where all are deselected; those chosen may be of the other database


def main(chosen: Sequence[str]) -> int:
    """The exit code of the first check that fails, or 0; `chosen`: what pytest shall run instead of everything."""
    begun = time.monotonic()
    throwaway = keys.generate()
    if chosen:
        command = (PYTHON, "-m", "pytest", "-q", *chosen)
        codes = [_run(check, throwaway) for check in _on_both(command)]
        return next((code for code in codes if code not in (0, NO_TESTS)), min(codes))
    count = 0
    with ThreadPoolExecutor(2) as beside:
        for check, code in _every(throwaway, beside):
            count += 1
            if code:
                say(f"FAILED: {check.title}")
                return code
    say(f"All {count} checks passed in {time.monotonic() - begun:.0f} s.")
    return 0


def _every(throwaway: Mapping[str, str], beside: ThreadPoolExecutor) -> Iterator[tuple[Check, int]]:
    """Each check with its exit code, as soon as it is known."""
    types = beside.submit(_read, TYPES, throwaway)
    for check, done in [(check, beside.submit(_read, check, throwaway)) for check in READING]:
        yield check, _tell(check, done)
    on_sqlite, on_postgres = _on_both(PYTEST)
    yield on_sqlite, _run(on_sqlite, throwaway)
    yield TYPES, _tell(TYPES, types)
    yield on_postgres, _run(on_postgres, throwaway)


def _on_both(pytest: tuple[str, ...]) -> tuple[Check, ...]:
    """One after the other: each takes the whole machine."""
    return (
        Check("tests on SQLite", pytest),
        Check("tests on PostgreSQL", (PYTHON, "-m", "config.local.postgres", "--", *pytest)),
    )


def _run(check: Check, throwaway: Mapping[str, str]) -> int:
    say(f"— {check.title}")
    return subprocess.call(check.command, cwd=PROCFILE.parent, env=_environment(check, throwaway))  # noqa: S603 -- the table above


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


def _tell(check: Check, done: Future[tuple[int, str]]) -> int:
    code, said = done.result()
    say(f"— {check.title}\n{said}".rstrip())
    return code


def _environment(check: Check, throwaway: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if _kept(name)}
    return {**kept, **throwaway, **check.variables, "ENV_FILE": os.devnull}


def _kept(name: str) -> bool:
    return name in KEPT or (name.startswith(KEPT_PREFIXES) and name not in LEFT_OUT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
