"""The environment of the stack's processes: what the caller gave, then `.env`, then the stack's own choices."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.core.environment import VARIABLES
from config.local import envfile, keys
from config.local.procfile import PATH as PROCFILE
from config.local.profiles import PROFILES


@dataclass(frozen=True)
class Options:
    """What the command line chose."""

    profile: str
    port: int
    var: Path  # absolute


def compose(caller: Mapping[str, str], options: Options) -> dict[str, str]:
    """The full environment. A variable set to nothing counts as unset, as it does for the settings."""
    dotenv = envfile.read(Path(caller.get("ENV_FILE") or PROCFILE.parent / ".env"))
    defaults = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "1",
        "PUBLIC_URL": f"http://localhost:{options.port}",
        "SANDBOX_URL": f"http://127.0.0.1:{options.port + 1}",
        **PROFILES[options.profile],
        **keys.load_or_create(options.var / "keys.env"),
    }
    given = {**dotenv, **{name: value for name, value in caller.items() if value.strip()}}
    chosen = {
        "PORT": str(options.port),
        "VAR_DIR": str(options.var),
        "PYTHONUNBUFFERED": "1",  # a log line is of use when it is written, not when a buffer is full
        # The Procfile's bare `python` and `granian` mean those of this interpreter
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", os.defpath)]),
    }
    if given.get("DEBUG", "1") != "0":
        defaults["CALL_LOOPBACK"] = "1"  # refused without DEBUG
    return {**caller, **defaults, **given, **chosen}


def keep(path: Path, environment: Mapping[str, str], caller: Mapping[str, str]) -> None:
    """Write what a second terminal needs to join in: `ENV_FILE=var/stack.env python manage.py …`.

    That is all that differs from this caller, and every setting the caller gave: the other terminal may lack it.
    """
    own = {"ENV_FILE", "PATH"}  # each terminal has its own
    shared = {
        name: value
        for name, value in environment.items()
        if name not in own and (value != caller.get(name) or name in VARIABLES)
    }
    envfile.write(path, shared)
