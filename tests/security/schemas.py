"""Schemathesis over the schema of the public and the staff API, against a running `web`, in bounded time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.security.proxied import FROM_PROXY
from tests.support.server import ROOT

EXAMPLES = 15  # of each operation and phase
SECONDS = 150  # for each run, whatever is left then
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance,unsupported_method,ignored_auth"
TOO_SLOW = "Response time limit exceeded"
LOG_OUTS = ("/api/staff/logout/", "/api/staff/logoutall/")  # they would end the token that the rest needs


def run(url: str, token: str, booking: str, folder: Path, *, seed: int) -> bool:
    """The public part as nobody, and staff's with a token about a booking that exists. Whether nothing was found."""
    (folder / "schemathesis.toml").write_text(f'[parameters]\nacknowledgement_id = "{booking}"\n')
    nobody = _run(url, folder / "schema-nobody.log", seed, "/api/schema/")
    known = ("--header", f"Authorization: Token {token}", *_without(LOG_OUTS))
    staff = _run(url, folder / "schema-staff.log", seed, "/api/staff/schema/", *known)
    return nobody and staff


def _run(url: str, log: Path, seed: int, schema: str, *more: str) -> bool:
    """What was only slow is asked once more, by itself: the machine may have been busy."""
    is_content = _tested(url, log, seed, schema, *more)
    if not is_content and (slow := slow_alone(log.read_text())):
        sys.stdout.write(f"again  schema, {log.stem}: {', '.join(slow)} was slow\n")
        chosen = [word for path in slow for word in ("--include-path", path)]
        kept = [word for word in more if word not in ("--exclude-path", *LOG_OUTS)]
        is_content = _tested(url, log.with_stem(f"{log.stem}-again"), seed, schema, *kept, *chosen)
    sys.stdout.write(f"{'holds ' if is_content else 'WRONG '} schema, {log.stem}: see {log.relative_to(ROOT)}\n")
    return is_content


def slow_alone(said: str) -> list[str]:
    """The addresses that took too long, if nothing else was found."""
    failures = said.partition("= FAILURES =")[2].partition("= WARNINGS =")[0]
    kinds = set(re.findall(r"^- (?:ST\d+ )?(.+)$", failures, re.M))
    return sorted(set(re.findall(r"^_+ [A-Z]+ (\S+) _+$", said, re.M))) if kinds == {TOO_SLOW} else []


def _tested(url: str, log: Path, seed: int, schema: str, *more: str) -> bool:
    headers = [word for name, value in FROM_PROXY.items() for word in ("--header", f"{name}: {value}")]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(log.with_name("schemathesis.toml"))]
    command += ["run", f"{url}{schema}", "--url", url, *headers, *more]
    command += ["--checks", CHECKS, "--max-response-time", "1", "--max-examples", str(EXAMPLES), "--seed", str(seed)]
    command += ["--max-time", str(SECONDS), "--request-timeout", "5", "--continue-on-failure", "--no-color"]
    command += ["--generation-database", "none"]
    with log.open("w") as out:
        try:
            done = subprocess.run(command, cwd=log.parent, stdout=out, stderr=out, timeout=2 * SECONDS, check=False)
            return done.returncode == 0
        except subprocess.TimeoutExpired:
            return False


def _without(paths: tuple[str, ...]) -> list[str]:
    return [word for path in paths for word in ("--exclude-path", path)]
