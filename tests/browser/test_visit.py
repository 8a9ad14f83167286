"""A visitor on our own pages, from the empty form to a session that is paid, moved and cancelled.

With and without script, by keyboard and by mouse, wide and on a phone. Mails are not sent here: each link is derived
again as the mail would carry it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright")

from backend.bookings.link_models import Purpose
from backend.bookings.notices import Notice
from tests.browser.desk import CHROMIUM, SCREENSHOTS, Desk, chromium
from tests.browser.practice import Practice, manage, seeded
from tests.support.gateway import SECRET, Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.timeout(600),  # seconds: sixteen pages, each searched by axe
    pytest.mark.skipif(os.environ.get("BROWSER") != "all", reason="make browser runs these"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; make browser installs it"),
]
WIDE, PHONE = (1366, 768), (375, 800)
HEAVIEST, REQUESTS = 50_000, 3  # bytes and requests of one page
TABS = 60  # more than the longest page has to stop at
APPROVE = """
from django.utils import timezone
from backend.bookings.lifecycle import approval
from backend.bookings.models import Booking
booking = Booking.objects.latest("pk")
wish = approval.Approval(booking.preferred_psychologist_id, booking.preferred_slot_start)
approval.approve(booking.pk, wish, actor="staff:desk", now=timezone.now())
"""
TOKEN = """
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.bookings.link_models import Purpose
from tests.support import scenarios
print(scenarios.token_of(Booking.objects.latest("pk"), Notice("{notice}"), Purpose("{purpose}")))
"""
ANSWERS = {
    "Full name": "Asha Rao",
    "Phone number": "98765 43210",
    "Age in years": "31",
    "City": "Pune",
    "Emergency contact": "Vikram Rao, 98765 00000",
}


@dataclass
class Way:
    """How somebody uses the pages."""

    name: str
    has_script: bool
    size: tuple[int, int]
    has_mouse: bool


WAYS = [
    Way("script-wide", has_script=True, size=WIDE, has_mouse=True),
    Way("script-phone", has_script=True, size=PHONE, has_mouse=True),
    Way("plain-wide", has_script=False, size=WIDE, has_mouse=False),
    Way("plain-phone", has_script=False, size=PHONE, has_mouse=False),
]


@dataclass
class Person:
    """One browser on its way through the pages; each page that is shot is measured, and searched by axe."""

    practice: Practice
    browser: Browser
    way: Way
    sizes: list[tuple[str, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        context = self.browser.new_context(
            java_script_enabled=self.way.has_script,
            locale="en-GB",
            timezone_id="Europe/London",
            reduced_motion="reduce",
            viewport={"width": self.way.size[0], "height": self.way.size[1]},
        )
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("response", self._weigh)
        self.loaded: list[Any] = []

    def _weigh(self, response: Any) -> None:
        if not response.url.endswith("/favicon.ico"):
            self.loaded.append(response)

    def open(self, path: str) -> None:
        self.loaded.clear()
        self.page.goto(f"{self.practice.url}{path}")

    def press(self, wanted: Locator) -> None:
        """A link or a button, by a click or by Tab and Enter."""
        if not self.way.has_mouse:
            self._tab_to(wanted)
        self.loaded.clear()
        with self.page.expect_navigation():
            if self.way.has_mouse:
                wanted.click()
            else:
                self.page.keyboard.press("Enter")

    def _tab_to(self, wanted: Locator) -> None:
        for _ in range(TABS):
            if wanted.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"no Tab comes to {wanted}")

    def tick(self, wanted: Locator) -> None:
        if self.way.has_mouse:
            wanted.check()
            return
        self._tab_to(wanted)
        self.page.keyboard.press("Space")
        assert wanted.is_checked()

    def button(self, name: str) -> None:
        self.press(self.page.get_by_role("button", name=name, exact=True))

    def link(self, name: str) -> None:
        self.press(self.page.get_by_role("link", name=name, exact=True))

    def sees(self, heading: str) -> None:
        self.page.get_by_role("heading", name=heading, exact=True, level=1).wait_for()

    def shoot(self, name: str) -> None:
        """The page as it is, with nothing wrong in it."""
        pages = [one for one in self.loaded if one.status < 300 or one.status >= 400]
        weight = sum(len(one.body()) for one in pages)
        self.sizes.append((name, weight, len(pages)))
        assert weight < HEAVIEST
        assert len(self.loaded) <= REQUESTS
        self.page.screenshot(path=self._picture(name), full_page=True)
        self._search(name)

    def _picture(self, name: str) -> str:
        folder = os.environ.get("PICTURES") or SCREENSHOTS
        return f"{folder}/visit-{name}-{self.way.name}.png"

    def _search(self, name: str) -> None:
        """axe is a script: what runs none is searched as a copy that may."""
        looker = Desk(self.practice, self.browser.new_context(reduced_motion="reduce", locale="en-GB").new_page())
        looker.page.set_viewport_size({"width": self.way.size[0], "height": self.way.size[1]})
        looker.page.set_content(self.page.content())
        wide, window = looker.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= window, f"{name} is {wide} wide in a window of {window}"
        found = looker.violations()
        looker.page.context.close()
        assert found == [], "\n".join(found)


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """Its gateway's webhooks reach nobody: the page asks by itself."""
    gateway = Sandbox(tmp_path_factory.mktemp("sandbox"), "http://127.0.0.1:1")
    with seeded(2, SANDBOX_URL=gateway.url, SANDBOX_SECRET=SECRET, STRANGER_REQUESTS_PER_HOUR="1000") as found:
        yield found
    gateway.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def shell(practice: Practice, code: str) -> str:
    return manage(practice.environment, "shell", "-v0", "-c", code)


def token(practice: Practice, notice: Notice, purpose: Purpose = Purpose.BOOKING) -> str:
    """As the mail carries it."""
    return shell(practice, TOKEN.format(notice=notice.value, purpose=purpose.value)).split()[-1]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_from_the_empty_form_to_a_session_that_is_paid_moved_and_cancelled(
    practice: Practice, browser: Browser, way: Way
) -> None:
    person = Person(practice, browser, way)
    asks(person)
    proves(person)
    shell(practice, APPROVE)
    pays(person)
    moves(person)
    cancels(person)
    print(f"\n{way.name}: " + ", ".join(f"{name} {weight} B/{count}" for name, weight, count in person.sizes))  # noqa: T201 -- the figures that somebody looks for


def asks(person: Person) -> None:
    page = person.page
    person.open("/")
    person.sees("Talk to a psychologist")
    person.shoot("01-home")
    person.link("Choose a time")
    person.sees("When would you like to come?")
    person.press(page.get_by_role("link", name="The week after"))
    person.shoot("02-times")
    person.press(page.locator(".slots a").first)
    person.sees("Ask for a session")
    person.shoot("03-form")
    person.button("Send the request")
    page.get_by_text("Nothing was sent yet.").wait_for()
    person.shoot("04-form-refused")
    for label, answer in ANSWERS.items():
        page.get_by_label(label).fill(answer)
    page.get_by_label("Email address").fill(f"{person.way.name}@example.org")
    page.get_by_label("Gender").select_option("FEMALE")
    person.tick(page.get_by_role("checkbox", name="I have read how you handle"))
    person.button("Send the request")
    person.sees("Please look into your mailbox")
    person.shoot("05-sent")


def proves(person: Person) -> None:
    person.open(f"/verify-email?token={token(person.practice, Notice.DRAFT_SUBMITTED)}")
    person.sees("Send us your request?")
    person.shoot("06-confirm")
    person.button("Yes, send my request")
    person.sees("Your request is with us")
    person.shoot("07-request")


def pays(person: Person) -> None:
    person.open(f"/verify-email?token={token(person.practice, Notice.BOOKING_APPROVED)}")
    person.sees("We are holding a time for you")
    person.shoot("08-held")
    person.press(person.page.get_by_role("link", name="Pay ₹"))
    person.sees("Pay for your session")
    person.shoot("09-pay")
    person.press(person.page.get_by_role("button", name="Pay ₹"))
    person.sees("Paid, thank you")
    person.shoot("10-paid")
    person.link("Back to your booking")
    person.sees("Your session is confirmed")
    person.shoot("11-confirmed")


def moves(person: Person) -> None:
    person.button("Mail me the link to choose another time")
    person.page.get_by_text("An email with your links is on its way.").wait_for()
    link = token(person.practice, Notice.BOOKING_CONFIRMED, Purpose.RESCHEDULE)
    person.open(f"/go/reschedule/?token={link}")
    person.sees("Choose another time for your session")
    person.shoot("12-move")
    height = person.page.evaluate("document.documentElement.scrollHeight") if person.way.has_script else 0
    assert height < 1_600, f"{height} pixels to scroll through"
    person.tick(person.page.get_by_role("radio").first)
    person.button("Move my session to this time")
    person.sees("This is the time of your session now")
    person.shoot("13-moved")


def cancels(person: Person) -> None:
    person.open(f"/verify-email?token={token(person.practice, Notice.BOOKING_MOVED)}")
    person.button("Mail me the link to cancel")
    person.page.get_by_text("Nothing is cancelled yet").wait_for()
    person.shoot("14-asked-to-cancel")
    person.open(f"/go/cancel/?token={token(person.practice, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)}")
    person.sees("Do you want to cancel this booking?")
    person.shoot("15-cancel")
    person.button("Cancel this booking")
    person.sees("Your booking is cancelled")
    person.shoot("16-cancelled")


def test_the_pages_beside_the_way_and_the_way_out(practice: Practice, browser: Browser) -> None:
    for way in WAYS[:2]:
        person = Person(practice, browser, way)
        for path, heading, name in (
            ("/visit/request/", "Ask for a session", "17-wish"),
            ("/visit/status/", "How does my booking stand?", "18-status"),
            ("/visit/link/", "Have your link sent again", "19-link"),
            ("/visit/enquiry/", "Write to us", "20-enquiry"),
        ):
            person.open(path)
            person.sees(heading)
            person.shoot(name)
        person.page.route("https://www.google.com/**", lambda route: route.fulfill(body="elsewhere"))
        for _ in range(3):
            person.page.keyboard.press("Shift")
        person.page.wait_for_url("https://www.google.com/**")
        person.page.go_back()
        assert "/visit/enquiry/" not in person.page.url
