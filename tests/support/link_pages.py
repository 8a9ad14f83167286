"""The mailed pages as a browser opens them, and what must be true of every one."""

from __future__ import annotations

import re
from html import unescape

from django.conf import settings as configured
from django.http import HttpResponse
from django.test import Client

from backend.api import frame

SWITCH = r"<p class=.languages.>.*?</p>"  # a page that was sent has none
OWN = ("./?token=", "./?payment=", "?")  # other pages of the same link, and this one in another language


def browser() -> Client:
    """As strict as a real server: Django's check against foreign posts is on, and a crash is answered."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def look(path: str, token: str | None = None) -> HttpResponse:
    return browser().get(path, {} if token is None else {"token": token})


def press(page: HttpResponse, **chosen: str) -> HttpResponse:
    """Send the page's form as a browser does that follows `no-referrer`: from the origin `null`."""
    text = page.content.decode()
    assert len(re.findall(r"<form", text)) == len(re.findall(r"<button", text)) == 1
    assert 'method="post"' in text
    fields = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)}
    path = page.request["PATH_INFO"]
    headers = {"origin": "null", "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"}
    return browser().post(path, fields | chosen, headers=headers)


def shown(response: HttpResponse, status: int = 200) -> str:
    """The text of a page, once all that holds of every page was checked."""
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Robots-Tag"] == "noindex"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Content-Security-Policy"].startswith("default-src 'none';")
    assert not response.cookies
    text = response.content.decode()
    assert 'name="viewport" content="width=device-width' in text
    assert re.findall(r"<script>(.*?)</script>", text, re.S) == [frame.SCRIPT]
    assert text.count("<script") == 1
    assert not re.search(r"<(link|img|iframe|object)\b|\bsrc=|@import|url\(|\bon\w+=", text.replace(frame.SCRIPT, ""))
    links = {link for link in re.findall(r'href="([^"]+)"', text) if not link.startswith(OWN)}
    assert links <= {"tel:112", "tel:14416", configured.FRONTEND_URL, configured.QUICK_EXIT_URL}
    assert "Emergency <a" in text
    assert "Tele-MANAS <a" in text
    return unescape(
        re.sub(r"\s+", " ", re.sub(rf"<style>.*?</style>|<script>.*?</script>|{SWITCH}|<[^>]+>", " ", text, flags=re.S))
    )
