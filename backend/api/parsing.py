"""How a request's bytes become data: JSON objects in UTF-8, whatever else the request's headers wish for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import IO, Any, NoReturn

from django.http import UnreadablePostError
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
