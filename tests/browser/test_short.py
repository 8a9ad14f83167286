"""The short part, for every run of the checks: the desk's own pages open and break no rule of theirs."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright")

from tests.browser.desk import CHROMIUM, PHONE, SCREEN, at_the_desk, chromium
from tests.browser.practice import seeded

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; make browser installs it"),
]
PAGES = ("/admin/", "/admin/calendar/", "/admin/calendar/?view=timeGridWeek", "/admin/calendar/day/")


def test_the_desks_pages_work_in_a_browser() -> None:
    with seeded(20) as practice, chromium() as browser:
        desk = at_the_desk(practice, browser)
        for path in PAGES:
            desk.open(path)
            desk.check()
        desk.open("/admin/", PHONE)
        desk.check()
        desk.open("/admin/calendar/?view=dayGridMonth", SCREEN)
        desk.page.locator(".ec-event").first.press("Enter")
        desk.page.wait_for_selector("#panel[open] h2")
        desk.check()
