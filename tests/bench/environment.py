"""The variables of the processes that are measured: those of production, without limits for clients of one machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from config.local import keys
from tests.bench.sink import Sink
from tests.chaos.stack import KEPT
from tests.support.server import free_port

# every limit that a client of ours would meet, since one machine asks for all; and no wait for a second thought
UNLIMITED = dict.fromkeys(
    (
        "STRANGER_REQUESTS_PER_HOUR", "STRANGER_MAILS_PER_HOUR", "STRANGER_MAILS_PER_DAY", "STAFF_MAILS_PER_HOUR",
        "LOOKUP_MISSES_PER_HOUR", "LOOKUP_MISSES_ALL",
    ),
    "10000000",
) | {"UNDO_WINDOW": "0s", "TRUSTED_PROXIES": "1"}  # fmt: skip


def environment_of(folder: Path, database_url: str, sink: Sink) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    web, gateway = free_port(), free_port()
    return {
        **kept,
        **keys.generate(),
        **sink.environment(),
        **UNLIMITED,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "sys.executableUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url,
        "PUBLIC_URL": f"http://127.0.0.1:{web}",
        "PORT": str(web),
        "PAYMENT_GATEWAY": "sandbox",
        "ALLOW_SANDBOX_PAYMENTS": "1",
        "SANDBOX_URL": f"http://127.0.0.1:{gateway}",
        "SANDBOX_SECRET": "of-the-bench",
    }
