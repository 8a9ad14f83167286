"""In which language a visitor is answered: the one chosen on a page, then the browser's, then the practice's.

A page's choice comes in the query, as the switch and our mails write it, and stays in a cookie that goes with the
browser. A program says it by Accept-Language. Codes are the same in every language, and staff's doors speak English.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from enum import EnumType, StrEnum
from typing import NamedTuple, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from backend.core import languages

Language = cast(type[StrEnum], EnumType.__call__(StrEnum, "Language", {one.upper(): one for one in languages.codes()}))
ASKED = "language"  # the query's name of it
PAGES = ("/visit/", "/go/", "/verify-email", "/payment")
_STAFF = "/api/staff/"


class Switch(NamedTuple):
    """A link to the same page in another language."""

    language: str
    name: str
    address: str


_switches: ContextVar[tuple[Switch, ...]] = ContextVar("switches of the page", default=())


class LanguageMiddleware:
    """Words what visitors are answered; a cache keeps each language by itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        is_page = path.startswith(PAGES)
        if not is_page and (not path.startswith("/api/") or path.startswith(_STAFF)):
            return self.get_response(request)
        asked = request.GET.get(ASKED, "") if is_page else ""
        token = _switches.set(_others(request) if is_page else ())
        try:
            with languages.of(language := _chosen(request, asked, is_page=is_page)):
                response = self.get_response(request)
        finally:
            _switches.reset(token)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language", *(["Cookie"] if is_page else [])])
        if asked in languages.codes():
            _remember(response, asked)
        return response


def switches() -> tuple[Switch, ...]:
    """To this page in every other language; none where it was posted to, for what was typed would be lost."""
    return _switches.get()


def _chosen(request: HttpRequest, asked: str, *, is_page: bool) -> str:
    kept = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "") if is_page else ""
    for language in (asked, kept, *_accepted(request.headers.get("Accept-Language", ""))):
        if language in languages.codes():
            return language
    return languages.or_default("")


def _accepted(header: str) -> list[str]:
    """Best first, without the country: `hi-IN` is `hi`."""
    return [language.partition("-")[0] for language, _ in parse_accept_lang_header(header)]


def _others(request: HttpRequest) -> tuple[Switch, ...]:
    if request.method not in ("GET", "HEAD"):
        return ()
    found = []
    for code, name in settings.LANGUAGES:
        query = request.GET.copy()
        query[ASKED] = code
        found.append(Switch(code, name, f"?{query.urlencode()}"))
    return tuple(found)


def _remember(response: HttpResponseBase, language: str) -> None:
    """It goes with the browser: a visitor's machine keeps no trace of us."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
