"""Every desk action has its endpoint: docs/staff-api.md, which `TEST_WRITE_DOCS=1` renews."""

from __future__ import annotations

import os
import re

import pytest

from tests.support.desk_table import DOCUMENT, EXCEPTED, PAGES, endpoints, pages
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
START, END = "<!-- generated: desk -->\n", "<!-- end -->\n"
BUTTONS = {  # of the pages on which one address has several: what is sent, and the endpoint
    "redrive": "POST messages/<row_id>/redrive/",
    "redrive_all": "POST dead-letters/redrive/",
    "discard": "POST messages/<row_id>/discard/",
    "discard_all": "POST dead-letters/discard/",
    "release": "POST messages/<row_id>/release/",
    "pause": "POST queues/<queue>/pause/",
    "resume": "POST queues/<queue>/resume/",
}
OWN = {  # of one's own account, and of colleagues
    *(
        "end",
        "end_others",
        "end_calendar",
        "make_calendar",
        "new_codes",
        "add_passkey",
        "remove_passkey",
        "invite",
        "role",
    ),
}


def written() -> str:
    scopes, lines = endpoints(), ["| Page of the desk | Endpoint | Scope |", "|---|---|---|"]
    for page, answer in pages():
        if isinstance(answer, str):
            lines.append(f"| `{page}` | – {answer} | |")
        for one in answer if isinstance(answer, tuple) else ():
            lines.append(f"| `{page}` | `{one}` | {_code(scopes[one])} |")
    others = sorted(set(scopes) - {one for _, answer in pages() if isinstance(answer, tuple) for one in answer})
    lines += ["", "Beside them, for programs alone:", "", "| Endpoint | Scope |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{one}` | {_code(scopes[one])} |" for one in others)]) + "\n"


def _code(scope: str) -> str:
    return f"`{scope}`" if ":" in scope else scope


def test_every_page_of_the_desk_has_its_endpoint_or_a_reason() -> None:
    before, _, rest = DOCUMENT.read_text().partition(START)
    after = rest.partition(END)[2]
    whole = f"{before}{START}{written()}{END}{after}"  # KeyError: a page that nobody named
    if "TEST_WRITE_DOCS" in os.environ:
        DOCUMENT.write_text(whole)
    assert DOCUMENT.read_text() == whole, "run it with TEST_WRITE_DOCS=1, and look at what changed"


def test_no_name_is_left_of_a_page_that_is_gone() -> None:
    from tests.support import roles

    known = {str(pattern.name) for route, pattern in roles.patterns() if route.startswith("admin/")}
    labels = {name.removesuffix("_changelist") for name in known}
    assert set(PAGES) <= known
    assert set(EXCEPTED) <= known | labels


def test_every_button_that_names_what_it_does_has_its_endpoint() -> None:
    folders = (ROOT / "backend" / name / "templates" for name in ("desk", "ops"))
    text = "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.html"))
    assert set(re.findall(r'name="do" value="(\w+)"', text)) == set(BUTTONS) | OWN
    assert set(BUTTONS.values()) <= set(endpoints())
