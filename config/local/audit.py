"""Known vulnerabilities of what the lock files name: `python -m config.local.audit`.

Exit codes: 0 none is known, 1 some are, 2 it could not be found out. An index that knows of no vulnerability at all
answers as one that knows of none here, so a release that is known to have some is asked after first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from config.local.procfile import PATH as PROCFILE

ROOT = PROCFILE.parent
LOCK_FILES = tuple(f"requirements{of}.txt" for of in ("", "-dev", "-security", "-clients", "-uv"))
KNOWN_TO_BE_VULNERABLE = "django==3.2.0"  # nothing installs it
COMMAND = (
    sys.executable,
    "-m",
    "pip_audit",
    "--disable-pip",
    "--strict",
    "--progress-spinner",
    "off",
    "--format",
    "json",
)


class Unanswered(Exception):
    """Why nothing could be found out."""


def main() -> int:
    """Says what it found."""
    try:
        _check_that_it_is_told()
        found = {name: _vulnerabilities(ROOT / name, "--require-hashes") for name in LOCK_FILES}
    except Unanswered as error:
        sys.stderr.write(f"Nothing was found out: {error}\n")
        return 2
    lines = sorted({line for lines in found.values() for line in lines})
    sys.stdout.write("".join(f"{line}\n" for line in lines) or f"None is known in {', '.join(LOCK_FILES)}.\n")
    return 1 if lines else 0


def _check_that_it_is_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text(f"{KNOWN_TO_BE_VULNERABLE}\n")
        if not _vulnerabilities(file, "--no-deps"):
            raise Unanswered(f"the index knows of no vulnerability in {KNOWN_TO_BE_VULNERABLE}.")


def _vulnerabilities(file: Path, how: str) -> list[str]:
    """One line each. Raises Unanswered."""
    command = [*COMMAND, how, "--requirement", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 -- the words above
    return read(done.stdout, otherwise=done.stderr)


def read(answer: str, *, otherwise: str) -> list[str]:
    """One line for each vulnerability in pip-audit's answer. Raises Unanswered, in the words of `otherwise`."""
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, LookupError, TypeError):
        raise Unanswered((otherwise.strip() or "pip-audit said nothing").splitlines()[-1]) from None
    if not packages or not all("vulns" in package for package in packages):
        raise Unanswered("not every package was looked at.")
    return [_line(package, vulnerability) for package in packages for vulnerability in package["vulns"]]


def _line(package: dict[str, Any], vulnerability: dict[str, Any]) -> str:
    mended = ", ".join(vulnerability["fix_versions"]) or "no release yet"
    return f"{package['name']} {package['version']}: {vulnerability['id']}, mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())
