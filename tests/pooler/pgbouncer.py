"""A PgBouncer in transaction mode before a database."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psycopg

from tests.support import debian
from tests.support.gateway import until

PORT = 6432  # the name of its socket; nothing listens on the network
LIMITS = {"lock_timeout": "3s", "statement_timeout": "15s", "idle_in_transaction_session_timeout": "10s"}
SETTINGS = """[databases]
* = host={server} user=app
[pgbouncer]
unix_socket_dir = {folder}
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
server_login_retry = 1
query_wait_timeout = 5
"""


def found() -> Path:
    """Its path. Raises RuntimeError when it is nowhere and cannot be fetched."""
    there = shutil.which("pgbouncer")
    if there:
        return Path(there)
    return debian.fetch("pgbouncer", "pgbouncer", "libc-ares2", "libevent-2.1-7") / "usr" / "sbin" / "pgbouncer"


@contextmanager
def running(program: Path, url: str, **limits: str) -> Iterator[Path]:
    """The folder of its socket, while it runs; it answers once this yields. `limits` change LIMITS."""
    folder = prepared(program, url, **limits)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command(program, folder), env=environment(), stdout=log, stderr=log, start_new_session=True
        )
    try:
        until((folder / f".s.PGSQL.{PORT}").exists, within=10, else_show=(folder / "log").read_text)
        yield folder
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def prepared(program: Path, url: str, **limits: str) -> Path:
    """A folder with its settings, in which its socket will be; the limits of waits are given to the role."""
    _set_limits(url, LIMITS | limits)
    folder = Path(tempfile.mkdtemp(prefix="pooler-"))
    server = unquote(urlsplit(url).netloc.partition("@")[2])
    (folder / "settings.ini").write_text(SETTINGS.format(server=server, folder=folder, port=PORT))
    if os.getuid() == 0:  # it refuses root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        shutil.copy(program, folder / "pgbouncer")  # var/ may lie where nobody may look
    return folder


def command(program: Path, folder: Path) -> list[str]:
    """To start it, once `prepared`."""
    own = [str(folder / "pgbouncer"), "-u", "nobody"] if os.getuid() == 0 else [str(program)]
    return [*own, str(folder / "settings.ini")]


def environment() -> dict[str, str]:
    """With the libraries that were unpacked beside it."""
    return debian.environment(debian.ROOT / "var" / "pgbouncer")


def through(folder: Path) -> dict[str, str]:
    """The variables of its clients."""
    url = f"postgresql://app@{quote(str(folder), safe='')}:{PORT}/app"
    return {"DATABASE_URL": url, "DATABASE_LIMITS_BY": "role"}


def _set_limits(url: str, limits: Mapping[str, str]) -> None:
    """As docs/operations says."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name, limit in limits.items():
            connection.execute(
                psycopg.sql.SQL("ALTER ROLE app SET {} = {}").format(psycopg.sql.Identifier(name), limit)
            )
