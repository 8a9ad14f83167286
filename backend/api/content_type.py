"""The one header that Django reads before any middleware, and trusts."""

from __future__ import annotations

import codecs
from typing import Any

from django.utils.http import parse_header_parameters


def mend_content_type(*, environ: dict[str, Any] | None = None, **_signal: Any) -> None:
    """Before a request is made: a content type that Django cannot take becomes one that nobody accepts (415).

    An unknown RFC 2231 encoding raises before any middleware runs, and Django trusts `charset` with every text, so that
    `charset=zlib` crashes a GET. A receiver of `request_started`, the only thing that runs earlier.
    """
    if environ is None:
        return
    try:
        _, parameters = parse_header_parameters(environ.get("CONTENT_TYPE") or "")
        is_readable = codecs.lookup(parameters.get("charset", "utf-8")).name == "utf-8"
    except (ValueError, LookupError):
        is_readable = False
    if not is_readable:
        environ["CONTENT_TYPE"] = "application/octet-stream"
