"""Everything a stranger sends is bounded before it is parsed: the length of each header, and of the body.

What is refused goes on as a request without the offending part and with the status in its environ, so that the usual
layers answer it: JSON and CORS headers under /api/, a page elsewhere.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LONGEST_HEADER = 4096  # characters; Python's and Django's parsers of some take a time that grows with the square
LONGEST = {"CONTENT_TYPE": 255}  # three parsers read it; the longest honest one has a boundary of 70
_LENGTH = re.compile(r"[0-9]{1,18}")
_REFUSED = "backend.refused"


def refuse(environ: WSGIEnvironment, status: int) -> None:
    """Let the request be answered with this error, and its body count as empty."""
    environ[_REFUSED] = status
    give_body(environ, b"")


def refusal(request: HttpRequest) -> int | None:
    """The status of the error that is its answer, before anything else looks at it; None if it may come in."""
    status: int | None = request.META.get(_REFUSED)
    if status is not None:
        return status
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not _LENGTH.fullmatch(length):
        return 400
    return 413 if int(length) > settings.MAX_BODY_BYTES else None


def bound_headers(*, environ: WSGIEnvironment | None = None, **_signal: Any) -> None:
    """Before a request is made: no parser sees a header that is too long (431).

    A receiver of `request_started`, the only thing that runs earlier.
    """
    environ = {} if environ is None else environ
    for name in [name for name, value in environ.items() if _is_too_long(name, value)]:
        environ[name] = ""
        refuse(environ, 431)


def _is_too_long(name: str, value: Any) -> bool:
    is_header = name.startswith("HTTP_") or name in LONGEST
    return is_header and len(value) > LONGEST.get(name, LONGEST_HEADER)


def body_length(environ: WSGIEnvironment) -> int:
    """The announced length; 0 for none, for chunks, which announce nothing, and for what is no number."""
    length = environ.get("CONTENT_LENGTH", "")
    return int(length) if _LENGTH.fullmatch(length) and "HTTP_TRANSFER_ENCODING" not in environ else 0


def give_body(environ: WSGIEnvironment, body: bytes) -> None:
    """What Django shall read."""
    environ["wsgi.input"] = io.BytesIO(body)
