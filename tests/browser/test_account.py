"""The door of the desk in a browser: enrolment, second step, sessions; by keyboard, with passkeys, without script."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from tests.browser.desk import CHROMIUM, Desk, at_the_desk, chromium
from tests.browser.practice import Practice, manage, seeded
from tests.support.factor import App

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.skipif(os.environ.get("BROWSER") != "all", reason="make browser runs these"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; make browser installs it"),
]
NARROW, PHONE, WIDE = (320, 640), (390, 844), (1366, 768)
SIZES = {"narrow": NARROW, "phone": PHONE, "wide": WIDE}
PASSWORD = "correct horse battery"
NEW_LINK = (
    "from django.contrib.auth.models import User; from django.utils import timezone; "
    "from backend.accounts import enrolment; "
    "user = User.objects.create_superuser('{0}'); "
    "print(enrolment.address(enrolment.make_link(user, by='test', now=timezone.now())))"
)


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    with seeded(1) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(practice: Practice, browser: Browser) -> Iterator[Desk]:
    """Nobody is logged in."""
    found = Desk(practice, browser.new_context(reduced_motion="reduce", locale="en-GB").new_page())
    yield found
    found.page.context.close()


def link(practice: Practice, name: str) -> str:
    """Of a new owner's account, without the host."""
    printed = manage(practice.environment, "shell", "-v0", "-c", NEW_LINK.format(name))
    found = re.search(r"/admin/account/enrol/\?token=\S+", printed)
    assert found, printed
    return found[0]


def shoot(desk: Desk, name: str) -> None:
    """In each size, and nothing is wrong in any."""
    for size, (width, height) in SIZES.items():
        desk.page.set_viewport_size({"width": width, "height": height})
        desk.check()
        desk.shoot(f"account-{name}-{size}", whole=True)


def app_on(page: Page) -> App:
    return App(page.locator(".desk-key").inner_text())


def with_authenticator(page: Page) -> None:
    """The computer has one, and its owner touches it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )


def typed_by_keyboard(page: Page, *texts: str) -> None:
    """From field to field by Tab; Enter sends."""
    for place, text in enumerate(texts):
        if place:
            page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_an_account_is_set_up_and_opened_by_keyboard_on_every_screen(practice: Practice, page: Desk) -> None:
    page.open(link(practice, "asha"))
    shoot(page, "enrolment")
    app = app_on(page.page)
    typed_by_keyboard(page.page, PASSWORD, PASSWORD, app.code())
    page.page.wait_for_selector(".desk-codes")
    shoot(page, "recovery-codes")
    codes = page.page.locator(".desk-codes code").all_inner_texts()
    assert len(codes) == 10
    page.open("/admin/account/")
    shoot(page, "sessions")
    page.page.context.clear_cookies()
    page.open("/admin/calendar/")
    page.page.locator("[name=username]").focus()  # the theme's page does not begin there
    typed_by_keyboard(page.page, "asha", PASSWORD)
    page.page.wait_for_selector("[name=code]")
    shoot(page, "second-step")
    typed_by_keyboard(page.page, app.code())
    page.page.wait_for_url("**/admin/calendar/")
    page.open("/admin/account/confirm/?next=/admin/account/")
    shoot(page, "confirm")
    page.page.locator("[name=password]").focus()
    page.page.locator("summary").press("Enter")
    page.page.fill("[name=password]", PASSWORD)
    page.page.locator("[name=recovery_code]").focus()
    typed_by_keyboard(page.page, codes[0])
    page.page.wait_for_url("**/admin/account/")
    page.page.wait_for_selector("text=9 of 10 are left")


def test_a_passkey_sets_up_an_account_and_opens_it(practice: Practice, page: Desk) -> None:
    with_authenticator(page.page)
    page.open(link(practice, "ravi"))
    page.page.fill("[name=password]", PASSWORD)
    page.page.fill("[name=again]", PASSWORD)
    page.page.get_by_role("button", name="Use a passkey instead of an app").click()
    page.page.wait_for_selector(".desk-codes")
    page.page.context.clear_cookies()
    page.open("/admin/account/")
    page.page.fill("[name=username]", "ravi")
    page.page.fill("[name=password]", PASSWORD)
    page.page.press("[name=password]", "Enter")
    page.page.get_by_role("button", name="Use a passkey instead").press("Enter")
    page.page.wait_for_url("**/admin/account/")
    page.page.wait_for_selector("text=last used")
    assert page.trouble == []


def test_a_passkey_is_added_and_removed_on_ones_own_page(practice: Practice, browser: Browser) -> None:
    link(practice, "vikram")  # a colleague who has not come yet
    desk = at_the_desk(practice, browser)
    with_authenticator(desk.page)
    desk.open("/admin/account/")
    desk.page.fill("[name=name]", "Laptop")
    desk.page.get_by_role("button", name="Add a passkey").click()
    desk.page.wait_for_selector("text=Laptop, since")
    desk.check()
    desk.page.get_by_role("button", name="Remove Laptop").click()
    desk.page.wait_for_selector("text=opens nothing any more")
    desk.open("/admin/account/colleagues/")
    shoot(desk, "colleagues")
    desk.page.get_by_role("link", name="Reset the second factor of").first.click()
    shoot(desk, "reset")
    desk.page.context.close()


def test_without_script_the_code_opens(practice: Practice, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(practice.url + link(practice, "meena"))
    assert not page.get_by_role("button", name="passkey").is_visible()
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.fill("[name=code]", app_on(page).code())
    page.get_by_role("button", name="Set up").click()
    page.get_by_role("link", name="I have them").click()
    page.wait_for_url("**/admin/")
    context.close()


def test_an_owner_invites_and_makes_a_token_by_keyboard_on_every_screen(practice: Practice, browser: Browser) -> None:
    desk = at_the_desk(practice, browser)
    desk.open("/admin/account/colleagues/invite/")
    shoot(desk, "invite")
    desk.page.locator("[name=username]").focus()
    typed_by_keyboard(desk.page, "leela", "leela@example.org")
    desk.page.wait_for_selector("text=This field is required.")
    desk.trouble.clear()  # the browser's console names each answer of 400
    desk.page.locator("[name=role]").first.press("Space")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("text=A link for the account leela is mailed to leela@example.org")
    shoot(desk, "colleague")
    desk.open("/admin/account/tokens/new/")
    shoot(desk, "token-new")
    desk.page.locator("[name=name]").focus()
    typed_by_keyboard(desk.page, "nightly export")
    desk.page.wait_for_selector(".desk-key")
    desk.check()
    desk.open("/admin/account/tokens/")
    shoot(desk, "tokens")
    desk.page.get_by_role("button", name="Revoke the token for nightly export").press("Enter")
    desk.page.wait_for_selector("text=opens nothing any more")
    desk.page.context.close()


def test_without_script_a_colleague_gets_another_role(practice: Practice, browser: Browser) -> None:
    link(practice, "vandana")
    at_the_desk(practice, browser).page.context.close()
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(practice.cookies)
    page = context.new_page()
    page.goto(f"{practice.url}/admin/account/colleagues/")
    page.get_by_role("link", name="vandana", exact=True).click()
    page.get_by_label("Receptionist").check()
    page.get_by_role("button", name="Give this role").click()
    page.wait_for_selector("text=vandana is now: Receptionist")
    context.close()
