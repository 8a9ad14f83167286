"""What the stack of `make security` stands on: a broker with the documented users, `web` in production settings."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
import requests

from backend.core import broker_url
from config.local import envfile
from tests.security.proxied import HOST
from tests.support import valkey
from tests.support.gateway import until
from tests.support.server import ROOT, free_port
from tests.support.valkey import Valkey

START_WITHIN = 240.0  # seconds; a stack in production settings on a busy machine
ACL = ROOT / "docs" / "operations" / "redis-users.acl"
PRODUCTION = {
    "DEBUG": "",
    "PUBLIC_URL": f"https://{HOST}",
    "FRONTEND_URL": "https://www.example.org",
    "ALLOWED_HOSTS": HOST,
    "TRUSTED_PROXIES": "1",
}
LIMITS = (  # they have tests of their own; here they would hide what lies behind them
    *("STRANGER_REQUESTS_PER_HOUR", "STRANGER_MAILS_PER_HOUR", "STRANGER_MAILS_PER_DAY", "LOOKUP_MISSES_PER_HOUR"),
    *("STAFF_MAILS_PER_HOUR", "STAFF_MAILS_PER_DAY", "ENQUIRIES_PER_HOUR", "ENQUIRIES_ALL", "LOOKUP_MISSES_ALL"),
)


@dataclass
class Broker:
    """A Redis that lets in the documented users alone, and whatever was said to it."""

    server: Valkey
    url: str
    heard: list[str] = field(default_factory=list)

    def refused(self) -> list[str]:
        """What it refused to its users."""
        return sorted({f"{entry['username']}: {entry['object']}" for entry in self.server.client.acl_log(128)})

    def holds(self) -> str:
        """Everything that lies in it now."""
        client = self.server.client
        return "\n".join(f"{key!r} {client.dump(key)!r}" for key in client.scan_iter())


@contextmanager
def broker() -> Iterator[Broker]:
    """Listened to from the first word on."""
    password = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="acl-") as folder:
        file = Path(folder) / "users.acl"
        users = ACL.read_text().replace("CHANGE-THIS-TOO", secrets.token_hex(16)).replace("CHANGE-THIS", password)
        file.write_text(f"{users}user root on nopass ~* &* +@all\n")
        with valkey.running("--aclfile", str(file), "--proto-max-bulk-len", "1mb", as_user="root") as server:
            found = Broker(server, server.url.replace("://", f"://mindsettler:{password}@", 1))
            threading.Thread(target=_listen, args=(found,), daemon=True).start()
            yield found


def _listen(broker: Broker) -> None:
    ears = redis.Redis.from_url(
        broker_url.read(broker.server.url).redis, username="root", password="any", socket_timeout=None
    )
    try:
        with ears.monitor() as monitor:
            for said in monitor.listen():
                broker.heard.append(said["command"])
    except (redis.ConnectionError, redis.TimeoutError, ValueError):  # it was stopped
        return


def environment(env_file: Path, *, is_limited: bool = False) -> dict[str, str]:
    """What a process of a deployment has that stands on the database and the broker of a running stack."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    limits = {} if is_limited else dict.fromkeys(LIMITS, "1000000")
    given = {name: value for name, value in envfile.read(env_file).items() if name not in LIMITS}
    return kept | given | PRODUCTION | limits | {"ENV_FILE": os.devnull}


def _listens(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/api/ping/", timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def production_web(env_file: Path, *, is_limited: bool = False) -> Iterator[str]:
    """`web` beside a running stack, on its database and broker, as a deployment has it; its address for the proxy."""
    port = free_port()
    given = environment(env_file, is_limited=is_limited) | {"HOST": "127.0.0.1", "PORT": str(port)}
    log = Path(given["VAR_DIR"]) / "log" / f"production-web{'-limited' if is_limited else ''}.log"
    with log.open("w") as out:
        server = subprocess.Popen([sys.executable, "-m", "config.web"], cwd=ROOT, env=given, stdout=out, stderr=out)
    try:
        until(lambda: _listens(port), within=START_WITHIN, else_show=log.read_text)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
