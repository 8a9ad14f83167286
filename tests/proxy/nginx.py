"""The example of nginx with what an operator changes, and where a real one is."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support import debian
from tests.support.server import ROOT, free_port

EXAMPLE = ROOT / "docs" / "operations" / "nginx.conf"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def found() -> str:
    """Its path; Debian's is unpacked where there is none. Raises RuntimeError when it cannot be fetched."""
    return shutil.which("nginx") or str(debian.fetch("nginx", "nginx") / "usr" / "sbin" / "nginx")


def command(program: str, folder: Path) -> list[str]:
    """Of an nginx whose settings lie in `folder`."""
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]


def settings(folder: Path, port: int, web: str) -> str:
    """The example as an operator changes it: names, the certificate, where things lie."""
    text = EXAMPLE.read_text()
    for before, after in {
        "/run/nginx.pid": f"{folder}/nginx.pid",
        "/var/log/nginx/": f"{folder}/",
        "/etc/ssl/certs/api.example.org.pem": f"{folder}/cert.pem",
        "/etc/ssl/private/api.example.org.key": f"{folder}/key.pem",
        "127.0.0.1:8000": web,
        "listen 80;": f"listen {free_port()};",
        "listen 443": f"listen {port}",
        "api.example.org": "localhost",
    }.items():
        text = text.replace(before, after)
    kept = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in TEMPORARY)
    return text.replace("http {\n", f"http {{\n{kept}", 1)


def behind_another(text: str) -> str:
    """Without TLS, which whoever stands before it ended; that one says whose request it is, and is trusted."""
    for before, after in {
        " ssl http2;": ";",
        "X-Forwarded-For $remote_addr;": "X-Forwarded-For $proxy_add_x_forwarded_for;",
        "$binary_remote_addr": "$http_x_forwarded_for",
    }.items():
        text = text.replace(before, after)
    return "\n".join(line for line in text.splitlines() if "ssl_" not in line)
