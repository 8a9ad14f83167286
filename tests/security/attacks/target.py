"""What is attacked, and how it is asked."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.security.proxied import FROM_PROXY, Owner

EVIL = "evil.example.net"
SLOW = 1.0  # second


@dataclass(frozen=True)
class Target:
    """What is attacked, with what a deployment's user could look at."""

    url: str
    owner: Owner
    mail: Path
    logs: Path

    def ask(self, method: str, path: str, **options: object) -> requests.Response:
        """As the proxy hands it on; `headers` are added."""
        headers = {**FROM_PROXY, **options.pop("headers", {})}  # type: ignore[dict-item]
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method,
                f"{self.url}{path}",
                headers=headers,
                timeout=10,
                allow_redirects=False,
                **options,  # type: ignore[arg-type]
            )

    def raw(self, data: bytes, *, within: float = 5.0) -> bytes:
        """Everything that comes back for these bytes."""
        place = urlsplit(self.url)
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=within) as connection:
            connection.sendall(data)
            found = b""
            try:
                while part := connection.recv(65536):
                    found += part
            except TimeoutError:
                pass
            return found
