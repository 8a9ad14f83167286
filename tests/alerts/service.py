"""The service under watch: the processes of the Procfile with DEBUG off, a mail server, Prometheus with our rules."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from config.local import keys, procfile
from config.local.postgres import Throwaway
from tests.alerts import promtool, rules
from tests.chaos.process import ROOT, Part
from tests.support import mail_sink
from tests.support.mail_sink import Sink
from tests.support.server import free_port

START_WITHIN = 90.0  # seconds; ten Python processes on two cores
LOOK_EVERY = 0.2  # seconds
SCRAPE_EVERY = 5  # seconds; a third of what alerts.yml asks for at most
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR")
BROKER = "import os; from config.local import broker; os.execv(*(lambda c: (c[0], c))(broker.command()))"


class Service:
    """What runs, and what it says of itself."""

    def __init__(self, folder: Path, database_url: str, sink: Sink) -> None:
        self.folder, self.sink = folder, sink
        port, self._prometheus_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = _environment(folder, database_url, sink, port)
        self.parts: dict[str, Part] = {}

    # -- processes ---------------------------------------------------------------------------------------------------

    def start(self, name: str, procfile_name: str = "", **variables: str) -> Part:
        """A process of the Procfile."""
        command = ("/bin/sh", "-c", f"exec {procfile.processes()[procfile_name or name]}")
        return self._begin(name, command, variables)

    def start_broker(self) -> None:
        self._begin("broker", (sys.executable, "-c", BROKER), {})

    def start_prometheus(self) -> None:
        program = promtool.found("prometheus")
        if program is None:
            raise RuntimeError("promtool is here and prometheus is not: install Debian's `prometheus`.")
        config = self.folder / "prometheus.yml"
        target = {"job_name": "mindsettler", "static_configs": [{"targets": [self.url.removeprefix("http://")]}]}
        every = {"scrape_interval": f"{SCRAPE_EVERY}s", "evaluation_interval": f"{SCRAPE_EVERY}s"}
        config.write_text(json.dumps({"global": every, "rule_files": [str(rules.ALERTS)], "scrape_configs": [target]}))
        address, data = f"--web.listen-address=127.0.0.1:{self._prometheus_port}", self.folder / "prometheus"
        command = (program, f"--config.file={config}", f"--storage.tsdb.path={data}", address, "--log.level=warn")
        self._begin("prometheus", command, {})

    def _begin(self, name: str, command: tuple[str, ...], variables: dict[str, str]) -> Part:
        part = Part(name, command, {**self.environment, **variables}, self.folder / f"{name}.log")
        self.parts[name] = part
        part.start()
        return part

    def workers(self) -> list[str]:
        return [name for name in self.parts if name.startswith("worker-")]

    def send(self, names: list[str], number: signal.Signals) -> None:
        """To these and all they forked."""
        for name in names:
            os.killpg(self.parts[name].pid, number)

    def stop(self, *names: str) -> None:
        """Properly, and wait."""
        for name in names:
            os.kill(self.parts[name].pid, signal.SIGTERM)
        for name in names:
            process = self.parts.pop(name).process
            assert process is not None
            process.wait(60)

    def restart(self, name: str) -> None:
        """After it was killed."""
        self.parts[name].end_group()
        self.parts[name].start()

    def end(self) -> None:
        """Leave nothing."""
        for part in self.parts.values():
            part.end_group()

    # -- what it says ------------------------------------------------------------------------------------------------

    def strict(self) -> list[str]:
        """What strict readiness refuses for; empty when it does not."""
        answer = requests.get(f"{self.url}/readyz?strict=1", timeout=5)
        said = answer.json()
        named: list[str] = said["unavailable"] + said["degraded"]
        assert bool(named) == (answer.status_code == 503), said
        return named

    def metrics(self) -> str:
        return requests.get(f"{self.url}/metrics", timeout=10).text

    def alerts(self) -> set[str]:
        """Those that fire in Prometheus, as `CanaryStale mail`."""
        answer = requests.get(f"http://127.0.0.1:{self._prometheus_port}/api/v1/alerts", timeout=5)
        found: list[dict[str, Any]] = answer.json()["data"]["alerts"]
        return {_named(alert["labels"]) for alert in found if alert["state"] == "firing"}

    def until(self, holds: Callable[[], object], what: str, within: float = START_WITHIN) -> float:
        """Look again until it holds; the seconds it took. Raises RuntimeError with the logs' folder."""
        begun = time.monotonic()
        while True:
            try:
                if holds():
                    return time.monotonic() - begun
            except requests.RequestException:
                pass  # not there yet
            if time.monotonic() - begun > within:
                os.environ["OPS_KEEP"] = "1"
                raise RuntimeError(f"{what} did not happen within {within:.0f} s; logs are in {self.folder}")
            time.sleep(LOOK_EVERY)

    def until_well(self) -> None:
        """Strict readiness has nothing to say and no alert fires."""
        self.until(lambda: not self.strict() and not self.alerts(), "health")


def _named(labels: dict[str, str]) -> str:
    about = [labels[name] for name in ("queue", "role", "timer", "rule") if name in labels]
    return " ".join([labels["alertname"], *about])


def _environment(folder: Path, database_url: str, sink: Sink, port: int) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        **keys.generate(),
        **sink.environment(),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "TRUSTED_PROXIES": "1",  # each visitor says an address of their own
    }


@contextmanager
def running() -> Iterator[Service]:
    """Two web processes, two mail workers, one of each other, beat, Redis and PostgreSQL: all well, and watched."""
    folder = Path(tempfile.mkdtemp(prefix="ops-"))
    database = Throwaway()
    with mail_sink.listening() as sink:
        service = Service(folder, database.url, sink)
        try:
            release = [sys.executable, "manage.py", "release"]
            subprocess.run(release, cwd=ROOT, env=service.environment, check=True, capture_output=True)
            service.start_broker()
            for name in ("web", "beat", "worker-payments", "worker-timers", "worker-calls"):
                service.start(name)
            for node in ("a", "b"):
                service.start(f"worker-mail-{node}", "worker-mail", NODE_NAME=node)
            service.start_prometheus()
            _become_a_client_of_its_database(service)
            service.until_well()
            yield service
        finally:
            service.end()
            database.close()
            if os.environ.get("OPS_KEEP") != "1":
                shutil.rmtree(folder, ignore_errors=True)


def _become_a_client_of_its_database(service: Service) -> None:
    """Settings read the environment once, so whoever imports models does it after this."""
    import django

    os.environ.update(service.environment)
    django.setup()
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the mail server's, a line for each command
