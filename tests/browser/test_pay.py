"""Paying at a gateway's page and back, as a visitor does who runs no script and has no mouse."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from tests.browser.desk import CHROMIUM, Desk, chromium
from tests.browser.practice import Practice, manage, seeded
from tests.support.fake_razorpay import server
from tests.support.fake_razorpay.server import FakeRazorpay

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.skipif(os.environ.get("BROWSER") != "all", reason="make browser runs these"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; make browser installs it"),
]
SIZES = {"phone": (375, 800), "wide": (1366, 768)}
TABS = 12  # more than any of these pages has to stop at
PAY = "Pay ₹1,500.00"
TO_PAY, ONE_MOMENT, PAID = "Pay for your session", "One moment, please", "Paid, thank you"
DECLINED = "Your bank declined the payment"
UNCONFIRMED = "Your bank has not confirmed yet"
CLOSED = "There is nothing to pay here"
APPROVED = """
from datetime import timedelta
from django.utils import timezone
from backend.bookings.models import Purpose
from backend.bookings.notices import Notice
from tests.support import scenarios
now = timezone.now()
who, at = scenarios.psychologist("Dr. {name}"), (now + timedelta(days=4)).replace(minute=0, second=0, microsecond=0)
booking = scenarios.approved("{name}@example.org", now=now, who=who, at=at)
print(scenarios.token_of(booking, Notice.BOOKING_APPROVED, Purpose.PAY))
"""
WORK = "from workers.payments import drain; drain()"
CALL_OFF = """
from django.utils import timezone
from backend.bookings.lifecycle import cancellation
from backend.bookings.models import Booking
cancellation.cancel_by_staff(
    Booking.objects.latest("pk").pk, note_to_visitor="", refund=cancellation.RefundChoice.FULL, refund_reason="",
    actor="staff:desk", now=timezone.now(),
)
"""


@pytest.fixture(scope="module")
def bank() -> Iterator[FakeRazorpay]:
    """It tells nothing by itself: what the page knows it has asked."""
    fake = FakeRazorpay()
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def practice(bank: FakeRazorpay) -> Iterator[Practice]:
    given = {
        "PAYMENT_GATEWAY": "razorpay",
        "RAZORPAY_URL": bank.url,
        "RAZORPAY_KEY_ID": server.KEY_ID,
        "RAZORPAY_KEY_SECRET": server.KEY_SECRET,
        "RAZORPAY_WEBHOOK_SECRET": server.WEBHOOK_SECRET,
    }
    with seeded(2, **given) as found:
        yield found


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Page:
    """Of somebody whose browser runs no script."""
    found = browser.new_context(java_script_enabled=False, locale="en-GB").new_page()
    found.set_default_timeout(60_000)
    return found


def shell(practice: Practice, code: str) -> str:
    return manage(practice.environment, "shell", "-v0", "-c", code)


def mailed(practice: Practice, name: str) -> str:
    """The address of the button in the mail of a new booking."""
    return f"{practice.url}/go/pay/?token={shell(practice, APPROVED.format(name=name)).split()[-1]}"


def shoot(practice: Practice, browser: Browser, address: str, name: str, said: str) -> None:
    """The page at an address in each size, held still; nothing is wrong in any. `said` is its heading."""
    person = Desk(practice, browser.new_context(reduced_motion="reduce", locale="en-GB").new_page())
    person.page.route("**/go/pay/**", _without_refresh)
    person.page.goto(address)
    while not person.page.get_by_role("heading", name=said, exact=True).count():
        assert person.page.get_by_text("We are asking whether your payment has come.").count()
        person.page.wait_for_timeout(4_500)
        person.page.goto(address)
    person.trouble.clear()  # the browser's console names each answer of 409
    for size, (width, height) in SIZES.items():
        person.page.set_viewport_size({"width": width, "height": height})
        person.check()
        person.shoot(f"pay-{name}-{size}", whole=True)
    person.page.context.close()


def _without_refresh(route: Route) -> None:
    answer = route.fetch()
    headers = {name: value for name, value in answer.headers.items() if name != "refresh"}
    route.fulfill(response=answer, headers=headers)


def press(page: Page, button: str) -> None:
    wanted = page.get_by_role("button", name=button, exact=True)
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            break
    else:
        pytest.fail(f"no Tab comes to {button}")
    page.keyboard.press("Enter")


def heading(page: Page, text: str) -> None:
    page.get_by_role("heading", name=text, exact=True).wait_for()


def test_a_visitor_pays_after_a_decline_and_back_leads_to_no_loop(
    practice: Practice, browser: Browser, page: Page, bank: FakeRazorpay
) -> None:
    mail = mailed(practice, "asha")
    page.goto(mail)
    shoot(practice, browser, mail, "to-pay", TO_PAY)
    press(page, PAY)
    heading(page, ONE_MOMENT)
    shoot(practice, browser, page.url, "one-moment", ONE_MOMENT)
    shell(practice, WORK)
    page.wait_for_url(f"{bank.url}/l/**")
    page.go_back()
    heading(page, TO_PAY)
    press(page, PAY)
    page.wait_for_url(f"{bank.url}/l/**")
    hosted = page.url
    page.get_by_role("button", name="Bank declines").click()
    page.get_by_role("link", name="Back to the shop").click()
    heading(page, DECLINED)
    shoot(practice, browser, page.url, "declined", DECLINED)
    press(page, PAY)
    page.wait_for_url(f"{bank.url}/l/**")
    assert page.url == hosted
    page.get_by_role("button", name="Pay", exact=True).click()
    heading(page, PAID)
    shoot(practice, browser, page.url, "paid", PAID)
    page.goto(mail)
    heading(page, PAID)


def test_a_bank_that_takes_its_time_is_waited_for_without_a_click(
    practice: Practice, browser: Browser, page: Page, bank: FakeRazorpay
) -> None:
    mail = mailed(practice, "ravi")
    page.goto(mail)
    press(page, PAY)
    heading(page, ONE_MOMENT)
    shell(practice, WORK)
    page.wait_for_url(f"{bank.url}/l/**")
    page.get_by_role("button", name="Bank answers later").click()
    page.get_by_role("link", name="Back to the shop").click()
    heading(page, UNCONFIRMED)
    shoot(practice, browser, page.url, "unconfirmed", UNCONFIRMED)
    heading(page, PAID)


def test_a_booking_that_was_called_off_leads_nowhere(practice: Practice, browser: Browser, page: Page) -> None:
    mail = mailed(practice, "meena")
    page.goto(mail)
    shell(practice, CALL_OFF)
    press(page, PAY)
    heading(page, CLOSED)
    shoot(practice, browser, mail, "closed", CLOSED)
