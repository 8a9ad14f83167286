"""The desk as a receptionist uses it all day: every page, on a screen and on a phone, by mouse and by keyboard."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("playwright")

from tests.browser.desk import CHROMIUM, PHONE, SCREEN, Desk, at_the_desk, chromium
from tests.browser.practice import Practice, seeded

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.skipif(os.environ.get("BROWSER") != "all", reason="make browser runs these"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; make browser installs it"),
]
PAGES = {
    "today": "/admin/",
    "columns": "/admin/calendar/?view=resourceTimeGridDay",
    "day": "/admin/calendar/?view=timeGridDay",
    "week": "/admin/calendar/?view=timeGridWeek",
    "week-of-one": "/admin/calendar/?view=timeGridWeek&psychologist=1",
    "month": "/admin/calendar/?view=dayGridMonth",
    "list": "/admin/calendar/?view=listWeek",
    "day-list": "/admin/calendar/day/",
    "numbers": "/admin/numbers/",
    "all-pages": "/admin/all/",
    "bookings": "/admin/bookings/booking/",
    "bookings-found": "/admin/bookings/booking/?q=a&deadline=soon",
    "caller": "/admin/bookings/booking/new/",
    "psychologist": "/admin/people/psychologist/1/change/",
    "away": "/admin/people/psychologist/1/away/",
    "sponsor-report": "/admin/people/corporate/1/report/",
    "payments": "/admin/payments/payment/",
    "mails": "/admin/outbox/message/",
    "operations": "/admin/ops/act/overview/",
    "schedules": "/admin/ops/act/schedules/",
    "dead-letters": "/admin/ops/act/dead-letters/",
    "sign-in": "/admin/account/",
    "tokens": "/admin/account/tokens/",
    "colleagues": "/admin/account/colleagues/",
    "invite": "/admin/account/colleagues/invite/",
}
ACTIVE = ("PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED")
STATES = (*ACTIVE, "COMPLETED", "REJECTED", "CANCELLED", "PAYMENT_FAILED")

# what somebody else's decision leaves behind: this page shows the booking as it was before
MAKE_OLD = """() => document.addEventListener("submit", (event) => {
    event.target.querySelector("[name=seen]").value = "0";
}, true)"""


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    with seeded(100) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def desk(practice: Practice, browser: Browser) -> Iterator[Desk]:
    found = at_the_desk(practice, browser)
    yield found
    found.page.context.close()


def one_session(desk: Desk) -> str:
    """Open a coming week of somebody who has a confirmed session in it that can be dragged; its id."""
    desk.open("/admin/calendar/?view=timeGridWeek&psychologist=1&state=CONFIRMED")
    for _ in range(3):
        desk.page.locator("button.ec-next").click()
        desk.settled()
        desk.page.wait_for_timeout(300)
        if desk.sessions().count():
            break
    text = desk.sessions().first.text_content() or ""  # a narrow tile hides its id
    found = re.search(r"MS-[0-9A-Z]{6}", text)
    assert found, text
    return found[0]


def drag(desk: Desk, name: str, pixels: int) -> None:
    """Take a session by its top and let it go `pixels` further down."""
    session = desk.sessions().filter(has_text=name)
    session.scroll_into_view_if_needed()
    box = session.bounding_box()
    assert box is not None
    mouse = desk.page.mouse
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, y + pixels / 2, steps=6)
    mouse.move(x, y + pixels, steps=6)
    mouse.up()
    desk.page.wait_for_selector("#panel[open] form")


def time_of(desk: Desk, name: str) -> str:
    """When the calendar shows a session to begin."""
    text = desk.sessions().filter(has_text=name).inner_text()
    found = re.search(r"\d{1,2}:\d{2}", text)
    assert found, text
    return found[0]


def wait_until_it_is_back(desk: Desk, name: str, at: str) -> None:
    """The calendar draws itself anew once the panel has closed."""
    desk.sessions().filter(has_text=name).filter(has_text=at).wait_for()


@pytest.mark.parametrize("size", [SCREEN, PHONE], ids=["screen", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_to_its_host_and_its_window_and_can_be_read_by_all(
    practice: Practice, desk: Desk, name: str, size: tuple[int, int]
) -> None:
    if "/ops/" in PAGES[name]:
        practice.give_signs_of_life()
    desk.open(PAGES[name], size)
    desk.page.wait_for_timeout(300)
    desk.shoot(f"{name}-{'phone' if size == PHONE else 'screen'}", whole="calendar/?" not in PAGES[name])
    desk.check()


def test_the_apis_description_opens_under_the_policy_of_pages(desk: Desk) -> None:
    desk.open("/api/docs/")
    desk.page.wait_for_selector(".opblock")
    desk.shoot("api-docs")
    assert (desk.foreign, desk.trouble) == ([], [])


@pytest.mark.parametrize("state", STATES)
def test_a_booking_and_every_page_that_acts_on_it_can_be_read_by_all(desk: Desk, state: str) -> None:
    desk.open(f"/admin/bookings/booking/?state__exact={state}")
    desk.page.locator("#result_list tbody th a").first.click()
    desk.settled()
    shown = urlsplit(desk.page.url).path
    acts = [link.get_attribute("href") for link in desk.page.locator(".booking-actions a").all()]
    assert acts or state not in ACTIVE
    for size in (PHONE, SCREEN):
        desk.open(shown, size)
        desk.shoot(f"booking-{state.lower()}-{'phone' if size == PHONE else 'screen'}", whole=True)
        desk.check()
    for act in acts:
        assert act is not None
        desk.open(act)
        desk.shoot(f"act-{state.lower()}-{act.strip('/').rsplit('/', 1)[-1]}", whole=True)
        desk.check()


def test_the_list_says_that_all_are_marked_when_they_are(desk: Desk) -> None:
    desk.open("/admin/bookings/booking/")
    said = desk.page.locator(".actions .question")
    assert not said.is_visible()
    desk.page.locator("#action-toggle").check()
    assert said.is_visible()
    assert not desk.page.locator(".actions .all").is_visible()


def test_every_state_can_be_told_apart_without_colour(desk: Desk) -> None:
    desk.open("/admin/calendar/?view=listWeek")
    texts = desk.page.locator(".ec-event").all_inner_texts()
    assert texts
    assert all(text[0] in "?₹…✓■" for text in texts)


def test_a_click_or_enter_opens_the_panel_and_escape_gives_the_focus_back(desk: Desk) -> None:
    desk.open(PAGES["columns"])
    session = desk.page.locator(".ec-event:not(.ec-bg-event)").first
    session.press("Enter")
    desk.page.wait_for_selector("#panel[open] h2")
    desk.shoot("panel")
    desk.check()
    desk.page.keyboard.press("Escape")
    assert desk.page.locator("#panel[open]").count() == 0
    assert session.evaluate("found => found === document.activeElement")


def test_a_drag_is_asked_about_and_left_goes_back(desk: Desk) -> None:
    name = one_session(desk)
    before = time_of(desk, name)
    drag(desk, name, 100)
    desk.shoot("drag")
    desk.check()
    desk.page.get_by_role("button", name="Leave it").click()
    wait_until_it_is_back(desk, name, before)


def test_a_drag_that_is_refused_says_why_and_goes_back(desk: Desk) -> None:
    name = one_session(desk)
    before = time_of(desk, name)
    desk.page.evaluate(MAKE_OLD)
    drag(desk, name, 100)
    desk.page.get_by_role("button", name="Move the session").click()
    desk.page.wait_for_selector("#panel .alert-danger")
    assert "Nothing was changed" in desk.page.inner_text("#panel")
    desk.page.keyboard.press("Escape")
    wait_until_it_is_back(desk, name, before)


def test_a_drag_moves_the_session(desk: Desk) -> None:
    name = one_session(desk)
    before = time_of(desk, name)
    drag(desk, name, 56)
    desk.page.get_by_role("button", name="Move the session").click()
    desk.page.wait_for_selector("#told:not([hidden]), #panel .alert-danger")
    if desk.page.locator("#panel .alert-danger").count():  # outside the hours: look twice
        desk.page.check("[name=despite_hours]")
        desk.page.get_by_role("button", name="Move the session").click()
        desk.page.wait_for_selector("#told:not([hidden])")
    desk.settled()
    desk.shoot("moved")
    assert time_of(desk, name) != before
    desk.page.reload()
    desk.settled()
    desk.page.wait_for_timeout(300)
    assert time_of(desk, name) != before


def test_a_dragged_span_opens_the_callers_form(desk: Desk) -> None:
    desk.open("/admin/calendar/?view=timeGridWeek&psychologist=1&state=PAYMENT_PENDING")
    desk.page.locator("button.ec-next").click()
    desk.settled()
    box = desk.page.locator(".ec-time-grid .ec-body").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, 500
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    desk.page.mouse.move(x, y + 60, steps=6)
    desk.page.mouse.up()
    desk.page.wait_for_url("**/bookings/booking/new/?**")
    asked = parse_qs(urlsplit(desk.page.url).query)
    assert desk.page.input_value("[name=preferred_date]") == asked["preferred_date"][0]
    assert desk.page.input_value("[name=preferred_time_start]") == asked["preferred_time_start"][0]
    assert desk.page.input_value("[name=preferred_period]") == "CUSTOM"


def test_filters_and_view_stand_in_the_address(desk: Desk) -> None:
    desk.open("/admin/calendar/?view=timeGridWeek")
    desk.page.locator("#filters [name=psychologist]").nth(1).check()
    desk.page.locator("#filters [name=state][value=CONFIRMED]").check()
    desk.settled()
    desk.page.get_by_role("button", name="Month").click()
    desk.settled()
    asked = parse_qs(urlsplit(desk.page.url).query)
    assert (asked["view"], asked["psychologist"], asked["state"]) == (["dayGridMonth"], ["2"], ["CONFIRMED"])
    desk.page.reload()
    desk.settled()
    assert desk.page.locator("#filters [name=psychologist]").nth(1).is_checked()
    assert desk.page.locator(".ec-month-view").count() == 1


def test_a_computer_in_another_zone_shows_the_practices_times(practice: Practice, browser: Browser) -> None:
    shown = []
    for zone in ("Asia/Kolkata", "America/New_York"):
        desk = at_the_desk(practice, browser, zone=zone)
        desk.open("/admin/calendar/?view=listWeek")
        shown.append(desk.page.locator(".ec-event").all_inner_texts())
        desk.page.context.close()
    assert shown[0] == shown[1]


def test_today_can_be_worked_by_keyboard_alone(desk: Desk) -> None:
    desk.open("/admin/")
    desk.page.locator("#waiting .desk-line a").first.focus()
    desk.page.keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.textContent").startswith("Approve")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url("**/approve/")


def test_the_week_on_a_phone_opens_at_today(desk: Desk) -> None:
    desk.open(PAGES["week"], PHONE)
    desk.page.wait_for_timeout(300)
    today = desk.page.locator(".ec-day.ec-today").bounding_box()
    assert today is not None
    assert 0 < today["x"] < PHONE[0] - today["width"]


@pytest.mark.parametrize("page", ["", "readers/"], ids=["history", "readers"])
def test_on_a_phone_a_long_table_is_a_column_of_cards(desk: Desk, page: str) -> None:
    desk.open("/admin/bookings/booking/?state__exact=CONFIRMED")
    desk.page.locator("#result_list tbody th a").first.click()
    desk.settled()
    desk.open(urlsplit(desk.page.url).path.replace("change/", page or "change/"), PHONE)
    table = desk.page.locator("table.desk-rows")
    wide, box = table.evaluate("found => [found.parentElement.scrollWidth, found.parentElement.clientWidth]")
    assert wide <= box


def test_the_day_list_is_made_for_paper(desk: Desk) -> None:
    desk.open("/admin/calendar/day/")
    desk.page.emulate_media(media="print")
    desk.shoot("day-list-print", whole=True)
    assert not desk.page.locator(".app-sidebar").is_visible()
    assert desk.page.locator(".desk-sheet").first.is_visible()
