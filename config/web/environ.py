"""A request of granian's as the environ of PEP 3333, which Django reads."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from granian.rsgi import Scope

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_OWN_NAMES = {"CONTENT_TYPE", "CONTENT_LENGTH"}  # without HTTP_ in front
_SEPARATORS = {"HTTP_COOKIE": "; "}  # RFC 9110, 5.3 joins all others by a comma


def environ_of(scope: Scope) -> WSGIEnvironment:
    """The environ; its body is empty until somebody has read it."""
    client, server = scope.client.rpartition(":")[0], scope.server.rpartition(":")
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "SCRIPT_NAME": "",
        "SERVER_NAME": server[0].strip("[]"),
        "SERVER_PORT": server[2],
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client.strip("[]"),
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),  # PEP 3333: bytes in the guise of text
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        **_headers(scope),
    }


def _headers(scope: Scope) -> dict[str, str]:
    """Each header once. A value that is no ASCII is empty, so that a wrong Host is not taken for none.

    A name with an underscore is left out, as nginx does: it would read like the one with a dash, and pass for what only
    a proxy may say.
    """
    found = {_name(name): "" for name in scope.headers.keys() if "_" not in name}  # noqa: SIM118 -- no mapping
    for name, value in scope.headers.items():
        key = _name(name)
        if key in found:
            found[key] = found[key] + _SEPARATORS.get(key, ",") + value if found[key] else value
    return found


def _name(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in _OWN_NAMES else f"HTTP_{name}"
