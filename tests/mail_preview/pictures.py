"""Every notice as people see it: languages, light and dark, at a telephone's and at a window's width.

To look at what it wrote is the proof; that no mail is wider than its window it finds by itself.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from backend.bookings.notices import OF_A_PERSON, Notice, is_to_us
from backend.core import languages
from backend.payments.receipt_fonts import FOLDER as FONTS
from tests.browser.desk import chromium
from tests.support.mails import html_of, mail_of

FOLDER = Path("var/mail-preview")
WIDTHS = (320, 600)
A_SHEET = 12  # mails
SCHEMES = ("light", "dark")
# each frame as high as its mail; what is wider than its frame is named
GROW = """() => [...document.querySelectorAll("iframe")].flatMap(frame => {
    const page = frame.contentDocument.documentElement;
    frame.height = page.scrollHeight;
    return page.scrollWidth > page.clientWidth ? [frame.title] : [];
})"""
# a machine without fonts of its own would draw boxes; it stands in for the family that mails name, in that script
_DEVANAGARI = base64.b64encode((FONTS / "NotoSansDevanagari.ttf").read_bytes()).decode()
FONT = (
    "<style>@font-face{font-family:Helvetica;unicode-range:U+0900-097F;"
    f"src:url(data:font/ttf;base64,{_DEVANAGARI})}}</style>"
)
NO_BOOKING = (*OF_A_PERSON, Notice.NOTHING_OPEN)


@pytest.mark.django_db
def test_pictures_of_every_notice(now: datetime) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn, sheets, wide = list(_sheets(now)), [], []  # Django asks no database within Playwright's loop
    with chromium() as browser:
        for scheme in SCHEMES:
            page = browser.new_context(color_scheme=scheme).new_page()
            for name, width, mails in drawn:
                file = FOLDER / f"{name}-{scheme}.png"
                page.set_viewport_size({"width": 4 * (width + 24) + 24, "height": 900})
                page.set_content(_sheet(mails, width, scheme))
                wide += [f"{file.name} {said}" for said in page.evaluate(GROW)]
                page.screenshot(path=file, full_page=True)
                sheets.append(file.name)
    links = "".join(f'<p>{name}<br><img src="{name}" width="100%"></p>' for name in sheets)
    (FOLDER / "index.html").write_text(f"<!DOCTYPE html><meta charset=utf-8><title>Mails</title>{links}")
    assert wide == []


def _sheets(now: datetime) -> Iterator[tuple[str, int, list[tuple[str, str]]]]:
    for language in languages.codes():
        notices = [notice for notice in Notice if language == settings.LANGUAGE_CODE or not is_to_us(notice)]
        mails = [
            (f"{notice}: {mail.subject}", html_of(mail).replace("</head>", f"{FONT}</head>", 1))
            for notice in notices
            if (mail := _mail(notice, language, now))
        ]
        for width in WIDTHS:
            for number in range(0, len(mails), A_SHEET):
                yield f"{language}-{width}-{number // A_SHEET + 1}", width, mails[number : number + A_SHEET]


def _mail(notice: Notice, language: str, now: datetime) -> Any:
    """Of rows that are gone again; of what speaks of no booking, as from a practice with this language."""
    before = settings.PRACTICE_LANGUAGE
    settings.PRACTICE_LANGUAGE = language
    choice = {} if notice in NO_BOOKING else {"language": language}
    try:
        with transaction.atomic():
            mail = mail_of(notice, now=now, **choice)
            transaction.set_rollback(True)
        return mail
    finally:
        settings.PRACTICE_LANGUAGE = before


def _sheet(mails: list[tuple[str, str]], width: int, scheme: str) -> str:
    frames = "".join(
        f"<figure><figcaption>{html.escape(said)}</figcaption>"
        f'<iframe title="{html.escape(said)}" srcdoc="{html.escape(body)}" width="{width}"></iframe></figure>'
        for said, body in mails
    )
    back, ink = ("#ccc", "#111") if scheme == "light" else ("#000", "#eee")
    style = (
        f"body{{margin:12px;background:{back};color:{ink};font:13px Helvetica,sans-serif}}"
        "body{display:flex;flex-wrap:wrap;gap:16px}"
        f"figure{{margin:0;width:{width}px}}figcaption{{height:48px;overflow:hidden}}iframe{{border:1px solid #888}}"
    )
    return f"<!DOCTYPE html><meta charset=utf-8>{FONT}<style>{style}</style>{frames}"
