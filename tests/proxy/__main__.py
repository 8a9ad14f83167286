"""`python -m tests.proxy`: docs/operations/nginx.conf under a real nginx, before a real `web`.

Exit codes: 0 all holds, 1 something does not, 2 it cannot be tried here. nginx is Debian's, unpacked into var/.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import requests

from config.local import keys
from config.local.console import end_in_order
from tests.proxy import nginx
from tests.support.gateway import until
from tests.support.server import free_port


def main() -> int:
    """The exit code."""
    end_in_order()
    try:
        program = nginx.found()
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    os.environ.update(keys.generate(), DEBUG="1", VAR_DIR="var/test", ENV_FILE=os.devnull)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.test.runner import DiscoverRunner

    from tests.support.server import web_server

    runner = DiscoverRunner(verbosity=0, interactive=False)
    made = runner.setup_databases()
    try:
        with web_server(DEBUG="1", TRUSTED_PROXIES="1") as web, _nginx(program, web) as (url, folder):
            return _report(url, folder)
    finally:
        runner.teardown_databases(made)


def _report(url: str, folder: Path) -> int:
    ask = requests.Session()
    ask.trust_env = False  # a bundle of certificates from the environment would be taken instead
    ask.verify = str(folder / "cert.pem")
    json = {"content-type": "application/json"}
    found = {
        "a ping": ask.get(f"{url}/api/ping/").status_code == 200,
        "a body of 200 kB is 413": ask.post(f"{url}/api/send-email/", data=b"x" * 200_000, headers=json).status_code
        == 413,
        "a header of 5 kB is 400": ask.get(f"{url}/api/ping/", headers={"cookie": "a" * 5000}).status_code == 400,
        "a whole body arrives": ask.post(f"{url}/api/bookings/check-status/", data=b"{}", headers=json).status_code
        == 400,
        "metrics for this machine": ask.get(f"{url}/metrics").status_code == 200,
        "more than the burst is 429": 429 in {ask.get(f"{url}/api/ping/").status_code for _ in range(400)},
    }
    for name, holds in found.items():
        sys.stdout.write(f"{'holds ' if holds else 'MISSED'} {name}\n")
    return 0 if all(found.values()) else 1


@contextmanager
def _nginx(program: str, web: str) -> Iterator[tuple[str, Path]]:
    """Runs as this user on free ports; its https address, and the folder with its certificate."""
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))
    folder.chmod(0o755)  # started by root, its workers are somebody else
    port = free_port()
    (folder / "nginx.conf").write_text(nginx.settings(folder, port, web.removeprefix("http://")))
    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "key.pem"]
    key += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*key, "-out", "cert.pem"], cwd=folder, check=True, capture_output=True)
    command = nginx.command(program, folder)
    subprocess.run([*command, "-t"], check=True)
    server = subprocess.Popen([*command, "-g", "daemon off;"], start_new_session=True)
    try:
        until(lambda: _listens(port))
        yield f"https://127.0.0.1:{port}", folder
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())
