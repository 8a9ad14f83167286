"""What stands between in a storm that asks for it: PgBouncer before PostgreSQL, the example of nginx before `web`.

And a second host, with a `web` of its own behind the same nginx, which dies as a whole in the middle of the storm.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from tests.chaos.stack import Stack
from tests.pooler import pgbouncer
from tests.proxy import nginx
from tests.support.server import free_port


def add_pooler(stack: Stack) -> None:
    """Everything added afterwards reaches PostgreSQL through it. Raises RuntimeError when it cannot be had."""
    if stack.database is None:
        raise RuntimeError("Nothing stands before SQLite.")
    program = pgbouncer.found()
    folder = pgbouncer.prepared(program, stack.database.url)
    stack.ends.append(lambda: shutil.rmtree(folder))
    libraries = pgbouncer.environment()["LD_LIBRARY_PATH"]
    stack.add("pooler", *pgbouncer.command(program, folder), LD_LIBRARY_PATH=libraries)
    stack.environment |= pgbouncer.through(folder)


def add_proxy(stack: Stack) -> None:
    """Visitors, staff and the gateway reach `web` through it. Raises RuntimeError when it cannot be had.

    The visitors' addresses are what somebody before it said, as a second proxy would: one machine has one address.
    """
    program, folder, port = nginx.found(), stack.folder / "proxy", free_port()
    folder.mkdir()
    stack.folder.chmod(0o755)  # started by root, its workers are somebody else
    web = stack.url.removeprefix("http://")
    if stack.second_web:
        web += f" max_fails=0; server 127.0.0.1:{stack.second_web} max_fails=0"
    (folder / "nginx.conf").write_text(nginx.behind_another(nginx.settings(folder, port, web)))
    stack.add("proxy", *nginx.command(program, folder), "-g", "daemon off;")
    stack.environment |= {"PUBLIC_URL": f"http://127.0.0.1:{port}", "TRUSTED_PROXIES": "2"}


def add_host(stack: Stack) -> None:
    """A second `web`; workers and beat of a second node there are in every storm. Only a proxy leads to both."""
    stack.second_web = free_port()


# in the order in which they are added
ADD: dict[str, Callable[[Stack], None]] = {"pooler": add_pooler, "host": add_host, "proxy": add_proxy}
