"""Keeps the stack's processes running: supervisord, in this process, from a configuration made of the Procfile."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from config.local import procfile
from config.local.child import BROKER
from config.local.orphans import MARK

# Started in this order and stopped in the reverse one; the rest of the Procfile are workers and come before beat
_FIRST, _LAST = [BROKER, "sandbox-gateway", "web"], ["beat"]


@dataclass(frozen=True)
class Stage:
    """Processes that start and stop together."""

    name: str
    processes: list[str]
    stop_within: int  # seconds from TERM to KILL


def stages(*, with_broker: bool) -> list[Stage]:
    """All processes, in the order they start."""
    names = [BROKER] * with_broker + [name for name in procfile.processes() if name not in procfile.ON_DEMAND]
    workers = [name for name in names if name not in _FIRST + _LAST]
    alone = {name: Stage(name, [name], stop_within=10) for name in names if name not in workers}
    # A worker may finish the task in hand, which the settings give 20 s
    together = [Stage("workers", workers, stop_within=30)] if workers else []
    return [
        *(alone[name] for name in _FIRST if name in alone),
        *together,
        *(alone[name] for name in _LAST if name in alone),
    ]


def configure(var: Path, plan: list[Stage]) -> Path:
    """Write supervisord's configuration and return where it is."""
    lines = [
        "[supervisord]",
        "nodaemon=true",
        f"logfile={_literal(var / 'log' / 'supervisord.log')}",
        f"pidfile={_literal(var / 'run' / 'supervisord.pid')}",
        *(["user=root"] if os.getuid() == 0 else []),  # who is root and says so is not warned about it
    ]
    for number, stage in enumerate(plan):
        lines += [f"[group:{stage.name}-stage]", f"programs={','.join(stage.processes)}", f"priority={number}"]
        for name in stage.processes:
            lines += _program(var, name, stage)
    path = var / "run" / "supervisord.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def _program(var: Path, name: str, stage: Stage) -> list[str]:
    return [
        f"[program:{name}]",
        f"command={_literal(shlex.quote(sys.executable))} -m config.local.child {name}",
        f"directory={_literal(procfile.PATH.parent)}",
        f"environment={MARK}={name}",
        f"stdout_logfile={_literal(var / 'log' / f'{name}.log')}",
        "stdout_logfile_maxbytes=5MB",
        "stdout_logfile_backups=2",
        "redirect_stderr=true",
        "autorestart=true",
        "startsecs=0",  # no start counts as failed, so none is the last: the child itself paces its starts
        "startretries=1000000",
        f"stopwaitsecs={stage.stop_within}",
        # TERM goes to the leader alone: Celery's pool would drop the task in hand. KILL goes to all.
        "stopasgroup=false",
        "killasgroup=true",
    ]


def _literal(value: object) -> str:
    """A value in which supervisord must not see a format."""
    return str(value).replace("%", "%%")


def supervise(configuration: Path) -> None:
    """Run until Ctrl-C, TERM or the end of the terminal; returns when every process has stopped."""
    from supervisor.loggers import Handler
    from supervisor.options import ServerOptions
    from supervisor.supervisord import go

    options = ServerOptions()
    options.realize(["-c", str(configuration)])
    options.first, options.test = True, False
    receive = options.get_signal

    def received() -> int | None:
        number: int | None = receive()
        # A closed terminal would mean "reload" to a daemon; nobody could stop this stack any more
        return signal.SIGTERM if number == signal.SIGHUP else number

    options.get_signal = received
    # A line that a closed terminal does not take is in the log file; by default the attempt to complain would end us
    Handler.handleError = lambda _handler: None
    go(options)
    options.close_logger()
