"""No file of the desk holds a cell that a spreadsheet would run, and one module alone writes them."""

from __future__ import annotations

import csv
import re
from datetime import datetime
from io import StringIO

import pytest
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.models import Booking
from backend.desk.spreadsheet import csv_lines, escape_formula
from tests.support import scenarios
from tests.support.admin_site import list_url
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
RUN = ["=1+1", "+1", "-1+1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "-cmd|'/C calc'!A0"]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    (row,) = csv.reader(StringIO("".join(csv_lines([[text, "after"]])), newline=""))
    assert row == [f"'{text}", "after"]


@pytest.mark.parametrize("text", ["", "Asha - Rao", "-150.00", "-3", "12", "a=b"])
def test_numbers_and_words_stay_as_they_are(text: str) -> None:
    assert escape_formula(text) == text


def test_one_module_alone_writes_csv() -> None:
    writers = {
        str(path.relative_to(ROOT))
        for folder in ("backend", "workers")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^(import|from) csv\b|text/csv", path.read_text(), re.MULTILINE)
    }
    assert writers == {"backend/desk/spreadsheet.py"}


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
def test_every_file_of_the_desk_is_escaped_and_kept_nowhere(desk: Browser, now: datetime) -> None:
    scenarios.confirmed(now=now, full_name="=HYPERLINK(1)", who=scenarios.psychologist("=Dr. M."))
    for url in (f"{list_url(Booking)}export/", f"{reverse('desk:numbers')}?first=2026-11-01&last=2026-11-30&as=csv"):
        answer = desk.get(url)
        assert answer["Content-Type"].startswith("text/csv")
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "no-referrer"
        cells = [cell for row in csv.reader(StringIO(answer.content.decode())) for cell in row]
        assert "'=Dr. M." in cells
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
