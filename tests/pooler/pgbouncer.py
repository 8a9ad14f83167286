"""A PgBouncer in transaction mode before a database."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.support import debian
from tests.support.gateway import until

PORT = 6432  # the name of its socket; nothing listens on the network
SETTINGS = """[databases]
* = host={server} user=app
[pgbouncer]
unix_socket_dir = {folder}
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
"""


def found() -> Path:
    """Its path. Raises RuntimeError when it is nowhere and cannot be fetched."""
    there = shutil.which("pgbouncer")
    if there:
        return Path(there)
    return debian.fetch("pgbouncer", "pgbouncer", "libc-ares2", "libevent-2.1-7") / "usr" / "sbin" / "pgbouncer"


@contextmanager
def running(program: Path, url: str) -> Iterator[Path]:
    """The folder of its socket, while it runs; it answers once this yields."""
    folder = Path(tempfile.mkdtemp(prefix="pooler-"))
    server = unquote(urlsplit(url).netloc.partition("@")[2])
    (folder / "settings.ini").write_text(SETTINGS.format(server=server, folder=folder, port=PORT))
    command = [str(program), "settings.ini"]
    if os.getuid() == 0:  # it refuses root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        shutil.copy(program, folder / "pgbouncer")  # var/ may lie where nobody may look
        command = ["./pgbouncer", "-u", "nobody", "settings.ini"]
    with (folder / "log").open("w") as log:
        environment = debian.environment(debian.ROOT / "var" / "pgbouncer")
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        until((folder / f".s.PGSQL.{PORT}").exists, within=10, else_show=(folder / "log").read_text)
        yield folder
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)
