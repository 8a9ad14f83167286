"""The text of a mail is read off its HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html.parser import HTMLParser

import pytest
from django.conf import settings

from backend.bookings.models import Mode
from backend.bookings.notices import Notice
from backend.notifications import plain_text
from backend.notifications.plain_text import of_html
from tests.support.mails import mail_of


def text_of(body: str) -> str:
    """What a page of this body says as text."""
    return of_html(f"<html><head><title>T</title><style>p {{}}</style></head><body>{body}</body></html>")[1]


def test_the_title_is_the_subject_on_one_line() -> None:
    assert of_html("<title>Booking\n MS-1 &amp; more</title><p>x</p>")[0] == "Booking MS-1 & more"


def test_paragraphs_stand_apart_and_rows_of_facts_together() -> None:
    facts = "<table><tr><th>When</th><td>today</td></tr>\n<tr><th>With</th><td>Dr. Rao<br>online</td></tr></table>"
    assert text_of(f"<h1>Hi</h1><p>One\n two.</p>{facts}<p>End</p>") == (
        "Hi\n\nOne two.\n\nWhen: today\nWith: Dr. Rao\nonline\n\nEnd\n"
    )


def test_a_link_stands_on_its_own_line_below_its_words() -> None:
    said = text_of('<p>You can <a href="https://a.example/?t=1&amp;u=2">choose one</a>, too.</p><p>End</p>')
    assert said == "You can choose one, too.\nchoose one:\nhttps://a.example/?t=1&u=2\n\nEnd\n"


def test_a_button_and_a_bare_address_are_not_said_twice() -> None:
    assert text_of('<p><a href="https://a.example">Pay</a></p>') == "Pay:\nhttps://a.example\n"
    assert text_of('<p>At <a href="https://a.example">https://a.example</a></p>') == "At https://a.example\n"


def test_a_list_keeps_its_marks_and_what_is_for_html_alone_is_left_out() -> None:
    assert text_of('<ul><li>a</li><li>b</li></ul><p class="html-only">x<br><b>y</b></p><p>z</p>') == "- a\n- b\n\nz\n"


class Parser(HTMLParser):
    """Python's, which takes whatever HTML there is."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = plain_text._Reader()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        is_html_only = "html-only" in (named.get("class") or "").split()
        self.reader.take_tag(
            plain_text._Tag(tag, is_end=False, is_html_only=is_html_only, href=named.get("href") or "")
        )

    def handle_endtag(self, tag: str) -> None:
        self.reader.take_tag(plain_text._Tag(tag, is_end=True))

    def handle_data(self, data: str) -> None:
        self.reader.take_words(data.replace("&", "&amp;"))


@pytest.mark.sqlite_only
@pytest.mark.django_db
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
@pytest.mark.parametrize("notice", Notice)
def test_of_every_mail_it_reads_what_pythons_parser_reads(
    notice: Notice, language: str, mode: Mode, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[str] = []

    def note(html: str) -> tuple[str, str]:
        pages.append(html)
        return of_html(html)

    monkeypatch.setattr(plain_text, "of_html", note)
    mail_of(notice, now=now, language=language, mode=mode, full_name='O\'Brien <b>&amp; "Co" > आशा', address="1 & 2\n3")
    assert pages
    for html in pages:
        parser = Parser()
        parser.feed(html)
        parser.close()
        assert of_html(html) == (" ".join(parser.reader.title.split()), parser.reader.text())
