"""Runs the whole stack in this terminal: `python -m config.local.run`; Ctrl-C stops it.

It becomes the supervisor of the processes it starts, so that a signal to this pid reaches the one who must act on it.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

from backend.core.environment import Misconfigured
from config.local import environment, orphans, supervision
from config.local.console import say
from config.local.environment import Options
from config.local.procfile import PATH as PROCFILE
from config.local.profiles import PROFILES

ROOT = PROCFILE.parent


class CannotStartError(Exception):
    """Why the stack does not start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns when the stack has stopped: 0, or 1 when it could not start."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with alone(options.var):
            _start(options)
            supervision.supervise(options.var / "run" / "supervisord.conf")
    except (CannotStartError, Misconfigured) as error:
        sys.stderr.write(f"The stack does not start: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped before everything had started.\n")
    return 0


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m config.local.run", description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", choices=sorted(PROFILES), default=os.environ.get("PROFILE") or "default")
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or 8000, help="the web server's port")
    parser.add_argument("--var", default=os.environ.get("VAR_DIR") or "var", help="folder of data, logs and keys")
    parsed = parser.parse_args(arguments)
    if not 0 < parsed.port < 65535:
        parser.error("--port must be between 1 and 65534: the sandbox gateway takes the next one")
    return Options(parsed.profile, parsed.port, (ROOT / parsed.var).resolve())


@contextmanager
def alone(var: Path) -> Iterator[None]:
    """One stack per folder. The kernel drops the lock with the process, however it ends."""
    var.mkdir(mode=0o700, parents=True, exist_ok=True)  # personal data will lie here
    for name in ("run", "log"):
        (var / name).mkdir(exist_ok=True)
    with (var / "run" / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStartError(f"it already runs in {var} (pid {lock.read().strip()}).") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _start(options: Options) -> None:
    caller = dict(os.environ)
    os.environ.update(environment.compose(caller, options))
    os.chdir(ROOT)
    # Imported only now, since the settings read the environment composed a line above
    settings = importlib.import_module("config.settings")
    importlib.import_module("backend.bookings.policy")
    _end_leftovers(options.var)
    _refuse_taken_ports(options.port, settings.SANDBOX_URL)
    for step in ("release", "seed_practice"):  # the first one refuses a given server that cannot be reached
        _manage(step)
    environment.keep(options.var / "stack.env", os.environ, caller)
    supervision.configure(options.var, supervision.stages(with_broker=not settings.REDIS_URL))
    site = f"{settings.FRONTEND_URL} (not part of this stack)" if settings.HAS_OTHER_SITE else settings.PUBLIC_URL
    _say_where(options, site, settings.PUBLIC_URL)


def _end_leftovers(var: Path) -> None:
    """End the processes of a supervisor that was killed: they hold the ports and the database."""
    if ended := orphans.end(var):
        say(f"Ended {ended} processes that an earlier stack left behind.")


def _refuse_taken_ports(port: int, sandbox_url: str) -> None:
    """Ask by connecting: the web server shares its port with whoever holds it (SO_REUSEPORT), unnoticed by both."""
    for wanted, variable in ((port, "PORT"), (urlsplit(sandbox_url).port, "SANDBOX_URL")):
        with socket.socket() as probe:
            probe.settimeout(1)
            if wanted and probe.connect_ex(("127.0.0.1", wanted)) == 0:
                raise CannotStartError(
                    f"port {wanted} is taken by another program. Choose another one with {variable}."
                )


def _manage(step: str) -> None:
    if subprocess.run([sys.executable, "manage.py", step], check=False).returncode:  # noqa: S603 -- our own steps
        raise CannotStartError(f"`manage.py {step}` failed; its words are above.")


def _say_where(options: Options, site: str, public_url: str) -> None:
    shown = options.var.relative_to(ROOT) if options.var.is_relative_to(ROOT) else options.var
    say(
        f"Profile     {options.profile}\n"
        f"Site        {site}\n"
        f"API         {public_url}/api/ping/\n"
        f"Admin       {public_url}/admin/\n"
        f"Mail        {public_url}/dev/mail/, from {shown}/mail/, unless EMAIL_HOST or EMAIL_PROVIDER is set\n"
        f"Logs        tail -f {shown}/log/*.log\n"
        f"Commands    ENV_FILE={shown}/stack.env .venv/bin/python manage.py …\n"
        "Ctrl-C stops everything."
    )


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
