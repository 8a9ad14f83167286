"""The visitor's own pages as a browser without script opens them, and what must be true of every one."""

from __future__ import annotations

import re
from html import unescape

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from backend.api import frame
from tests.support.link_pages import browser

HEAVIEST = 50_000  # bytes


class Visitor:
    """One browser: it keeps its cookie, and sends a page's form with what the page put into it."""

    def __init__(self) -> None:
        self.browser: Client = browser()

    def open(self, address: str, **query: str) -> HttpResponse:
        return self.browser.get(address, query)

    def send(self, page: HttpResponse, button: str, **typed: str) -> HttpResponse:
        """What comes of the button; a redirect is not followed."""
        for action, form in re.findall(r'<form method="post"(?: action="([^"]*)")?>(.*?)</form>', text_of(page), re.S):
            if f">{button}<" in form:
                found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
                hidden = {name: unescape(value) for name, value in found}
                origin = page.wsgi_request.build_absolute_uri("/").removesuffix("/")  # as a browser says it
                where = action or page.request["PATH_INFO"]
                return self.browser.post(where, hidden | typed, headers={"Origin": origin})
        raise AssertionError(f"no button {button!r}")

    def follow(self, answer: HttpResponse) -> HttpResponse:
        """Where it leads."""
        assert answer.status_code == 303, answer.content[:300]
        return self.browser.get(answer["Location"])


def text_of(page: HttpResponse) -> str:
    return page.content.decode()


def read(page: HttpResponse, status: int = 200) -> str:
    """The words of a page, once all that holds of every page was checked."""
    assert page.status_code == status, page.content[:300]
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert page["Cache-Control"] == "no-store"
    assert page["Content-Security-Policy"].startswith("default-src 'none';")
    assert page["Referrer-Policy"] == "same-origin"
    text = text_of(page)
    meant = "no-referrer" if "This did not work" in text else "same-origin"  # with the former a form cannot be sent
    assert f'<meta name="referrer" content="{meant}">' in text
    assert len(page.content) < HEAVIEST
    assert text.count("<script") == text.count(f"<script>{frame.SCRIPT}</script>") == 1
    assert not re.search(r"<(link|img|iframe|object)\b|\bsrc=|@import|url\(|\bon\w+=", text.replace(frame.SCRIPT, ""))
    assert f'class="exit" href="{settings.QUICK_EXIT_URL}" rel="noreferrer"' in text
    title = re.search(r"<title>(.*?)</title>", text)
    assert title is not None
    assert not re.search(f"session|psycholog|therap|counsel|{settings.PRACTICE_NAME}", title[1], re.I)
    assert "Emergency <a" in text
    return unescape(re.sub(r"\s+", " ", re.sub(r"<(style|script)>.*?</\1>|<[^>]+>", " ", text, flags=re.S)))
