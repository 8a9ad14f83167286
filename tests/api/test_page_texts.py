"""Whatever visitors read on our pages and in our mails can be translated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.server import ROOT

OURS = ("staff_", "manager_", "psychologist_", "_desk", "_request", "_their_sessions")  # mails that we read, in English
PAGES = (ROOT / "backend" / "api" / "templates").glob("*/*.html")
MAILS = (ROOT / "backend" / "notifications" / "templates" / "mail").glob("*.html")
TEMPLATES = sorted(
    [
        *(path for path in PAGES if path.parent.name != "dev"),  # that one is for who works on the backend
        *(path for path in MAILS if not path.name.startswith(OURS)),
    ]
)
UNREAD = r"<style>.*?</style>|<script>.*?</script>|{% block referrer %}.*?{% endblock %}"
MARKED = r"{% blocktranslate.*?endblocktranslate %}|{[{%].*?[%}]}"


def unmarked(text: str) -> list[str]:
    """The words that no `translate` holds."""
    for pattern in (UNREAD, MARKED, r"<[^>]*>"):
        text = re.sub(pattern, "\n", text, flags=re.S)
    return [line.strip() for line in text.splitlines() if re.search("[A-Za-z]{2}", line)]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_text_of_a_template_is_marked_for_translation(template: Path) -> None:
    if template.name == "_described.html":  # attributes of an element that stands elsewhere
        return
    assert unmarked(template.read_text()) == []


def test_a_text_that_is_not_marked_is_found() -> None:
    assert unmarked("<p>{% translate 'Yes' %} {{ one }}<b>No</b></p>") == ["No"]
