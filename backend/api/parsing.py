"""How a request's bytes become data: JSON objects in UTF-8, whatever else the request's headers wish for."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable
from typing import IO, Any, NoReturn

from django.http import UnreadablePostError
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JsonBody(BaseParser):
    """A JSON object (RFC 8259: always UTF-8). The caller has bounded its length; nesting is bounded here."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:  # noqa: ARG002
        try:
            body = json.loads(stream.read().decode(), parse_constant=_refuse)
        except (ValueError, RecursionError, UnreadablePostError) as error:
            raise ParseError from error
        if not isinstance(body, dict):
            raise ParseError
        return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


class JsonOnlyNegotiation(DefaultContentNegotiation):
    """We answer in JSON whatever `Accept` or `?format=` ask for: an answer in JSON is worth more than a 406."""

    def select_renderer(
        self, _request: Request, renderers: Iterable[BaseRenderer], _format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


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
