"""What a locked screen shows of each text, whatever fills it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings

from backend.channels import texts
from backend.channels.channel import VARIABLE_LONGEST, Template
from backend.core import languages
from tests.support import lock_screen
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
ALL = frozenset({"en", "hi"})
LONGEST_SMS = 160  # characters of one part; in Hindi 70, of which there may be two
EACH = [(template, language) for template in Template for language in texts.TEXTS[template]]


def test_each_template_has_a_text_in_each_language_that_is_offered():
    assert {(template, code) for template in Template for code in languages.codes()} == set(EACH)


@pytest.mark.parametrize(("template", "language"), EACH)
def test_no_text_says_on_a_locked_screen_whom_it_is_for_from_whom_or_about_what(
    template: Template, language: str, now: datetime
):
    of_ours = (settings.PRACTICE_NAME, *settings.PRACTICE_NAME.split())
    hours = [now + timedelta(days=step, hours=step % 24, minutes=step * 7 % 60) for step in range(400)]
    for at in hours:
        said = texts.message(template, at, language=language, among=ALL)
        assert lock_screen.shown(texts.text(said), more=of_ours) == []
        assert said.language == language
        assert all(0 < len(value) <= VARIABLE_LONGEST for value in said.variables)


def test_the_list_finds_what_it_is_for():
    assert lock_screen.shown("Your session with Dr. Meera") == ["session", "dr."]
    assert lock_screen.shown("आपका सत्र") == ["सत्र"]


@pytest.mark.parametrize(("template", "language"), EACH)
def test_a_text_begins_and_ends_with_words_as_providers_ask_and_fits_a_message(
    template: Template, language: str, now: datetime
):
    text = texts.TEXTS[template][language]
    assert not text.startswith("{")
    assert not text.rstrip(".। ").endswith("}")
    said = texts.text(texts.message(template, now, language=language, among=ALL))
    assert len(said) <= (LONGEST_SMS if said.isascii() else 2 * 67)


def test_a_language_without_a_text_is_told_the_practices_or_english(now: datetime, settings):
    def spoken(language: str, among: frozenset[str] = ALL) -> str:
        return texts.message(Template.SESSION_IMMINENT, now, language=language, among=among).language

    assert spoken("ta") == "en"
    settings.PRACTICE_LANGUAGE = "hi"
    assert spoken("") == "hi"
    assert spoken("hi", among=frozenset({"en"})) == "en"  # in which alone the channel has it


def test_day_and_time_are_the_practices_with_its_zone(now: datetime):
    said = texts.message(Template.SESSION_APPROACHING, now, language="en", among=ALL)
    assert said.variables == ("Monday, 23 November 2026", "10:00 IST")
    assert texts.text(said).startswith("Reminder: your appointment is on Monday, 23 November 2026 at 10:00 IST.")


def test_what_is_to_be_registered_stands_in_the_document():
    document = (ROOT / "docs/channels.md").read_text()
    for template, language in EACH:
        assert f"| `{template}` | `{language}` | {texts.TEXTS[template][language]} |" in document
