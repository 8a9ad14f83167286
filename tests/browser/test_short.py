"""The short part, for every run of the checks: the desk's own pages open and break no rule of theirs."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright")

from django.utils import timezone

from tests.browser.desk import CHROMIUM, PHONE, SCREEN, Desk, at_the_desk, chromium
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
        _turn_from_a_month_of_thousands(desk)


def _turn_from_a_month_of_thousands(desk: Desk) -> None:
    """To the day whose number is pressed."""
    today = f"{timezone.localdate()}"
    feed = "**/admin/calendar/sessions/?*"
    desk.page.route(feed, lambda route: route.fulfill(json={"days": [[today, 1457]]}))
    desk.open("/admin/calendar/?view=dayGridMonth", SCREEN)
    number = desk.page.locator(".ec-event.desk-s-sum")
    assert number.inner_text() == "1,457 sessions"
    desk.check()
    desk.page.unroute(feed)
    number.press("Enter")
    desk.page.wait_for_url(f"**view=resourceTimeGridDay&date={today}*")
    desk.check()
