"""*Your data* as a person meets it, by the links of their mails: read, correct, withdraw, be erased; by keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

pytest.importorskip("playwright")

from tests.browser.desk import CHROMIUM, Desk, chromium
from tests.browser.practice import Practice, manage, seeded

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.skipif(os.environ.get("BROWSER") != "all", reason="make browser runs these"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; make browser installs it"),
]
SIZES = {"narrow": (320, 640), "phone": (390, 844), "wide": (1366, 768)}
TABS = 30  # more than any of these pages has to stop at
OF_ONE_CONFIRMED = """
from django.utils import timezone
from backend.bookings.models import Booking
from tests.support import erasures
booking = Booking.objects.filter(state="CONFIRMED", slot_start__gt=timezone.now()).exclude(email="").first()
print(erasures.data_token(booking, now=timezone.now()))
"""
OF_THE_ERASURE = """
from backend.bookings.models import DataRequest
from tests.support import erasures
print(erasures.erasure_token(DataRequest.objects.get(kind="erasure")))
"""


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    with seeded(20) as found:
        yield found


@pytest.fixture
def person(practice: Practice) -> Iterator[Desk]:
    """Somebody with a mail of ours and no account."""
    with chromium() as browser:
        yield Desk(practice, browser.new_context(reduced_motion="reduce", locale="en-GB").new_page())


def token_of(practice: Practice, code: str) -> str:
    """As it stands in the mail, which nobody sends here."""
    return manage(practice.environment, "shell", "-v0", "-c", code).split()[-1]


def at(path: str, token: str) -> str:
    return f"/go/{path}/?{urlencode({'token': token})}"


def shoot(person: Desk, name: str) -> None:
    """In each size, and nothing is wrong in any."""
    for size, (width, height) in SIZES.items():
        person.page.set_viewport_size({"width": width, "height": height})
        person.check()
        person.shoot(f"data-{name}-{size}", whole=True)


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"no Tab comes to {wanted}")


def press(page: Page, button: str) -> None:
    """As somebody does who has no mouse."""
    tab_to(page, page.get_by_role("button", name=button, exact=True))
    with page.expect_navigation():
        page.keyboard.press("Enter")


def rename(page: Page, name: str) -> None:
    """To come into a field by Tab marks what stands there, so typing takes its place."""
    tab_to(page, page.get_by_label("Full name"))
    page.keyboard.type(name)
    press(page, "Save the corrections")


def corrected(person: Desk) -> None:
    press(person.page, "Correct my data")
    shoot(person, "correct")
    rename(person.page, "A")
    person.trouble.clear()  # the browser's console names each answer of 400
    shoot(person, "correct-refused")
    rename(person.page, "Asha R. Verma")
    shoot(person, "corrected")
    press(person.page, "Back to your data")
    assert person.page.get_by_text("Asha R. Verma", exact=True).first.is_visible()


def test_a_person_reads_corrects_and_stops_an_erasure_by_keyboard_on_every_screen(
    practice: Practice, person: Desk
) -> None:
    page, token = person.page, token_of(practice, OF_ONE_CONFIRMED)
    person.open(at("data", token))
    shoot(person, "seen")
    corrected(person)
    press(page, "Withdraw my consent")
    shoot(person, "withdraw")
    person.open(at("data", token))
    press(page, "Erase my data")
    shoot(person, "erase")
    press(page, "Mail me the link")
    shoot(person, "erase-asked")
    person.open(at("erasure", token_of(practice, OF_THE_ERASURE)))
    shoot(person, "erasure-asked")
    press(page, "Erase my data")
    shoot(person, "erasure-waits")
    press(page, "Stop it, keep my data")
    page.get_by_role("heading", name="Nothing is erased").wait_for()
    shoot(person, "erasure-stopped")
