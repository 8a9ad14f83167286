"""The stack the journeys walk through: one of our own that is gone afterwards, or one that somebody runs."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.demo.commands import ROOT
from tests.demo.walk import PAUSE, STACK, Narrator

OWN_VAR = ROOT / "var" / "demo"
START_WITHIN = 180.0  # seconds, migrations included, also beside other work on the machine
HIDDEN = ("_KEY", "_SECRET", "_URL")  # what these settings hold is not told
BACK_WITHIN = 15.0  # seconds; a web process that was killed serves again within them
STOP_WITHIN = 90.0  # seconds; the supervisor gives its stages up to 30 s each, and needs about three in all

# Nothing else reaches the stack and the commands: an exported DATABASE_URL, or an EMAIL_HOST in .env, would send the
# demo's bookings and mails somewhere real
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LC_ALL", "TMPDIR")


class NoStackError(Exception):
    """There is no stack to walk through, or it would not end; says why."""


SITE = "http://localhost:3000"  # where the released site would run; `tests.demo.site` sends what it sends


class WrongAddressError(NoStackError):
    """The URL on the command line leads to no stack of ours."""


@dataclass(frozen=True)
class Stack:
    """Where a running stack is reached."""

    url: str
    mail: Path
    env_file: Path

    @property
    def logs(self) -> Path:
        """Where its processes write theirs."""
        return self.mail.parent / "log"

    @property
    def origin(self) -> str:
        """The site that its mails lead to."""
        return self._setting("FRONTEND_URL", self.public_url).rstrip("/")

    @property
    def staff_inbox(self) -> str:
        """Where staff read of new requests."""
        return self._setting("STAFF_INBOX", "staff@localhost").lower()

    @property
    def public_url(self) -> str:
        """Where the backend's own pages are, by its mails."""
        return self._setting("PUBLIC_URL", self.url).rstrip("/")

    @property
    def bank(self) -> tuple[str, str]:
        """Address and key of the sandbox gateway."""
        return self._setting("SANDBOX_URL", ""), self._setting("SANDBOX_SECRET", "")

    def fake_gateway(self, name: str) -> str:
        """Address of the fake that stands in for a real gateway."""
        return self._setting(f"{name.upper()}_URL", "").rstrip("/")

    @property
    def refunds(self) -> str:
        """What a visitor who cancels in time gets back: full or none."""
        return self._setting("REFUND_ON_VISITOR_CANCELLATION", "none")

    @property
    def is_fast(self) -> bool:
        """Whether its durations were shortened, as PROFILE=fast does."""
        return bool(self._setting("DRAFT_LIFETIME", ""))

    def _setting(self, name: str, default: str) -> str:
        found = re.search(rf"^{name}='(.+)'$", self.env_file.read_text(), re.MULTILINE)
        return found[1] if found else default


def clean_environment(env_file: str) -> dict[str, str]:
    """What a process of the demo gets; its settings come from `env_file` alone."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {"ENV_FILE": env_file}


def running(url: str) -> Stack:
    """The stack begun by `make run PROFILE=fast` in this checkout. Raises WrongAddressError, NoStackError."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise WrongAddressError(f"URL={url} is no web address such as http://localhost:8000.")
    if trouble := _lasting_trouble(url):
        raise WrongAddressError(f"No stack answers at {url}: {trouble}. Begin one with: make run PROFILE=fast")
    stack = Stack(
        url=url,
        mail=ROOT / (os.environ.get("MAILBOX") or "var/mail"),
        env_file=ROOT / (os.environ.get("ENV_FILE") or "var/stack.env"),
    )
    if not stack.env_file.is_file():
        raise NoStackError(f"{stack.env_file} is missing: staff's commands need it. Name it with ENV_FILE=….")
    if not stack.is_fast:
        raise NoStackError(f"{stack.env_file} is of a stack with real durations. Begin one with: make run PROFILE=fast")
    return stack


@contextmanager
def own(
    narrator: Narrator, var: Path, *, profile: str = "fast", is_fresh: bool = True, **settings: str
) -> Iterator[Stack]:
    """A stack on free ports, on what one before left unless fresh; stopped whatever happens. Raises NoStackError."""
    if is_fresh:
        _sweep(var)
    port = _free_port()
    command = [sys.executable, "-m", "config.local.run", "--profile", profile, "--port", str(port)]
    command += ["--var", str(var.relative_to(ROOT))]
    output = var / "stack.log"
    given = "".join(f"{name}={'…' if name.endswith(HIDDEN) else value} " for name, value in settings.items())
    narrator.tell(STACK, f"{given}python {' '.join(command[1:])}")
    with output.open("wb") as log:
        # A group of its own, so that Ctrl-C reaches us alone and the stack is stopped once, by us
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=clean_environment(os.devnull) | {"FRONTEND_URL": SITE} | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    stack = Stack(f"http://localhost:{port}", var / "mail", var / "stack.env")
    try:
        _wait_until_it_answers(stack, process, output, narrator)
        yield stack
    finally:
        _stop(process, stack, narrator)


def _sweep(folder: Path) -> None:
    """Empty the last demo's folder, but for the pid files: by them the stack ends what a killed one left behind."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "run").mkdir(exist_ok=True)
    with (folder / "run" / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NoStackError(f"Another demo runs in {folder.relative_to(ROOT)}; wait for its end.") from None
        for path in folder.iterdir():
            if path.name == "run":
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _free_port() -> int:
    """A port whose successor is free too: the sandbox gateway takes that one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _lasting_trouble(url: str) -> str | None:
    """The same after some patience: its web process may have died a moment ago and be on its way back."""
    begun = time.monotonic()
    while (trouble := _trouble(url)) and time.monotonic() - begun < BACK_WITHIN:
        time.sleep(PAUSE)
    return trouble


def _trouble(url: str) -> str | None:
    """Why the API at `url` does not answer; None when it does."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.get(f"{url}/api/ping/", timeout=5, allow_redirects=False)
    except requests.ConnectionError:
        return "nothing can be reached there"
    except (requests.RequestException, ValueError) as error:
        return str(error)
    is_ours = response.status_code == 200 and response.headers.get("Content-Type", "").startswith("application/json")
    return None if is_ours else f"/api/ping/ came with {response.status_code}, as no stack of ours answers"


def _wait_until_it_answers(stack: Stack, process: subprocess.Popen[bytes], output: Path, narrator: Narrator) -> None:
    begun = time.monotonic()
    while trouble := _trouble(stack.url):
        if process.poll() is not None:
            raise NoStackError(f"The stack ended with code {process.returncode}. Its last words:\n{_tail(output)}")
        if time.monotonic() - begun > START_WITHIN:
            raise NoStackError(f"No answer within {START_WITHIN:.0f} s ({trouble}). Its words:\n{_tail(output)}")
        time.sleep(PAUSE)
    narrator.tell(STACK, f"answers at {stack.url}", time.monotonic() - begun)


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _stop(process: subprocess.Popen[bytes], stack: Stack, narrator: Narrator) -> None:
    """SIGTERM, and the proof that it is gone. A second Ctrl-C must not leave it running."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        _end(process, stack, narrator)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen[bytes], stack: Stack, narrator: Narrator) -> None:
    begun, was_running = time.monotonic(), process.poll() is None
    process.terminate()
    try:
        code = process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        raise NoStackError(f"The stack did not end within {STOP_WITHIN:.0f} s of SIGTERM; see {stack.logs}.") from None
    if was_running:
        narrator.tell(STACK, f"stopped, exit code {code}", time.monotonic() - begun)
        if code or not _trouble(stack.url):
            raise NoStackError(f"The stack ended with code {code}, or something still answers at {stack.url}.")
