"""Every desk action has its endpoint: docs/staff-api.md, which `TEST_WRITE_DOCS=1` renews."""

from __future__ import annotations

import os
import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import RequestFactory

from backend.api.staff.records.kinds import RECORDS
from backend.api.staff.records.record import Record
from backend.core.errors import required
from tests.support import roles
from tests.support.desk_table import DOCUMENT, EXCEPTED, PAGES, endpoints, pages, registry
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
OURS = {app.label for app in apps.get_app_configs() if app.name.startswith("backend.")}
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


BELOW = {  # rows that stand below another on its page, and how programs change or read them
    "WorkingHours": "PUT psychologists/<row_id>/hours/",
    "TimeOff": "POST psychologists/<row_id>/time-off/",
    "SponsorDomain": "PUT corporates/<row_id>/domains/",
    "Refund": "GET refunds/",  # a page of the desk shows them, and changes none
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
    known = {str(pattern.name) for route, pattern in roles.patterns() if route.startswith("admin/")}
    labels = {name.removesuffix("_changelist") for name in known}
    assert set(PAGES) <= known
    assert set(EXCEPTED) <= known | labels


def test_every_button_that_names_what_it_does_has_its_endpoint() -> None:
    folders = (ROOT / "backend" / name / "templates" for name in ("desk", "ops"))
    text = "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.html"))
    assert set(re.findall(r'name="do" value="(\w+)"', text)) == set(BUTTONS) | OWN
    assert set(BUTTONS.values()) <= set(endpoints())


def test_every_row_below_a_page_has_its_endpoint() -> None:
    pages = [admin.site._registry[model] for model in registry() if model._meta.app_label in OURS]
    assert {inline.model.__name__ for page in pages for inline in page.inlines} == set(BELOW)
    assert set(BELOW.values()) <= set(endpoints())


@pytest.mark.django_db
@pytest.mark.parametrize("record", [one for one in RECORDS if one.takes is not None], ids=lambda one: one.name)
def test_what_a_form_of_the_desk_takes_programs_may_send(record: Record, rf: RequestFactory) -> None:
    registry()
    asked = rf.get("/")
    asked.user = roles.account(roles.OWNER)
    form = record.page.get_form(asked, None, change=False)
    takes = required(record.takes, "takes", record)().fields
    assert {field.source for field in takes.values()} == set(form.base_fields)
