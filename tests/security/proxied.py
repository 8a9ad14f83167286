"""Whoever asks the production web as the proxy would hand it on, and its addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

HOST = "api.example.org"
FROM_PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1", "Host": HOST}
WITHIN = 10.0  # seconds
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


def session() -> requests.Session:
    """A browser beyond the proxy: to it all is https."""
    made = requests.Session()
    made.trust_env = False
    made.headers.update(FROM_PROXY)
    made.hooks["response"].append(lambda answer, **_: _keep_cookies(made, answer))
    return made


def _keep_cookies(browser: requests.Session, answer: requests.Response) -> None:
    """By hand: over http, as the proxy speaks to us, the library would keep back what is for https alone."""
    kept = dict(pair.split("=", 1) for pair in str(browser.headers.get("Cookie", "")).split("; ") if pair)
    kept |= {cookie.name: cookie.value or "" for cookie in answer.cookies}
    browser.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
    browser.cookies.clear()


def cookie(browser: requests.Session, name: str) -> str:
    """What a browser has of this name."""
    return dict(pair.split("=", 1) for pair in str(browser.headers["Cookie"]).split("; "))[name]


@dataclass(frozen=True)
class Owner:
    """Somebody who may do everything, logged in, and every secret of theirs."""

    browser: requests.Session
    name: str
    password: str
    link: str
    app: str
    recovery_codes: list[str]

    @property
    def cookie(self) -> str:
        """The session's."""
        return cookie(self.browser, "__Host-session")

    @property
    def csrf(self) -> str:
        """What a form's hidden field has."""
        return cookie(self.browser, "__Host-csrf")


def enrolled(url: str, link: str, name: str, password: str) -> Owner:
    """By the one-time link that `first_owner` printed, through the pages."""
    from tests.support.factor import App  # its models need Django, which is set up by now

    browser, parts = session(), urlsplit(link)
    address = f"{url}{parts.path}"
    browser.get(f"{address}?{parts.query}", timeout=WITHIN, allow_redirects=False)
    page = browser.get(address, timeout=WITHIN).text
    secret = re.sub(r"\s", "", re.search(r"<code[^>]*>([A-Z2-7 ]{20,})</code>", page)[1])  # type: ignore[index]
    answer = post(browser, address, page, password=password, again=password, code=App(secret).code())
    codes = re.findall(r"<li><code>([A-Z0-9-]+)</code>", answer.text)
    return Owner(browser, name, password, parts.query.partition("token=")[2], secret, codes)


def post(browser: requests.Session, address: str, page: str, **typed: str) -> requests.Response:
    """Send the form of a page."""
    field = _CSRF.search(page)
    given = {"csrfmiddlewaretoken": field[1] if field else "", **typed}
    headers = {"Origin": f"https://{HOST}", "Referer": f"https://{HOST}/admin/"}
    return browser.post(address, given, headers=headers, timeout=WITHIN, allow_redirects=False)


def addresses() -> list[str]:
    """Every one that the backend has, with something in place of what varies; Django must be set up."""
    from django.urls import get_resolver

    return sorted({_filled(route) for route in _routes(get_resolver())})


def _routes(resolver: Any, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = f"{prefix}{pattern.pattern}"
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern, route)
        else:
            yield f"/{route}"


def _filled(route: str) -> str:
    """A route, or the expression of one, as an address."""
    route = re.sub(r"<(?:int|uuid:)?[^>]*>", "1", re.sub(r"\(\?P<\w+>[^)]*\)", "1", route))
    return re.sub(r"\(\?:[^)]*\)|[\^$?]|\\", "", route).replace("//", "/")
