"""The mails of development in a browser: read in their frame, and followed out of it."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("playwright")

from tests.browser.desk import CHROMIUM, PHONE, SCREEN, Desk, chromium
from tests.browser.practice import manage, seeded

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.skipif(os.environ.get("BROWSER") != "all", reason="make browser runs these"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; make browser installs it"),
]
MAIL = """
from django.utils import timezone
from backend.bookings.notices import Notice
from tests.support.mails import mail_of
mail_of(Notice.BOOKING_CONFIRMED, now=timezone.now()).send()
"""


def test_a_link_in_a_framed_mail_opens_its_page_as_a_tab_and_nothing_of_a_mail_runs() -> None:
    with seeded(0) as practice, chromium() as browser:
        manage(practice.environment, "shell", "-v0", "-c", MAIL)
        desk = Desk(practice, browser.new_page())
        page = desk.open("/dev/mail/", PHONE)
        desk.check()
        page.locator("li a").first.click()
        desk.settled()
        desk.check()
        page.set_viewport_size({"width": SCREEN[0], "height": SCREEN[1]})
        desk.shoot("dev-mail", whole=True)
        link = page.frame_locator("iframe").locator("a[href*='token=']").first
        address = link.get_attribute("href")
        with page.expect_popup() as opened:
            link.click()
        followed = opened.value
        followed.wait_for_load_state()
        assert followed.url == address
        assert followed.locator("main h1").inner_text()
        desk.check()
