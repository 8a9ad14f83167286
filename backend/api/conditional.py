"""Answers that are the same for everybody: with an ETag, and short to whoever has them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response


def unless_known(request: Request, body: dict[str, Any], *, cache: str = "no-cache") -> Response:
    """The answer with its ETag, or 304 to who has it. Caches may keep it, and by default ask every time if it holds."""
    response = Response(body, headers={"Cache-Control": cache})
    response.add_post_render_callback(_conditional(parse_etags(request.headers.get("If-None-Match", ""))))
    return response


def _conditional(known: list[str]) -> Callable[[HttpResponse], HttpResponse | None]:
    def finish(response: HttpResponse) -> HttpResponse | None:
        tag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
        response["ETag"] = tag
        if "*" not in known and tag not in (other.removeprefix("W/") for other in known):
            return None
        return HttpResponseNotModified(headers={name: response[name] for name in ("ETag", "Cache-Control")})

    return finish
