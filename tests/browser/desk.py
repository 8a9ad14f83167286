"""One browser at the desk: it notes whatever it asked of other hosts and whatever went wrong in its pages."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.browser.practice import Practice

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
SCREENSHOTS = Path(__file__).resolve().parent.parent.parent / "var" / "screenshots"
PHONE, SCREEN = (375, 800), (1400, 900)
SETTLES_IN = 3.0  # seconds
WITHIN = 30_000  # milliseconds until something that must appear is called missing; a loaded machine is slow


class Desk:
    """A page in which somebody is logged in."""

    def __init__(self, practice: Practice, page: Page) -> None:
        self.practice, self.page = practice, page
        self.foreign: list[str] = []
        self.trouble: list[str] = []
        page.on("request", self._note)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("console", self._hear)
        page.set_default_timeout(WITHIN)

    def log_in(self) -> None:
        self.page.goto(f"{self.practice.url}/admin/login/")
        self.page.fill("[name=username]", self.practice.username)
        self.page.fill("[name=password]", self.practice.password)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_selector("[name=code]")
        self.page.fill("[name=code]", self.practice.app.code())
        self.page.press("[name=code]", "Enter")
        self.page.wait_for_selector("#waiting")

    def open(self, path: str, size: tuple[int, int] = SCREEN) -> Page:
        """The page, when it has everything that it asks for."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.goto(f"{self.practice.url}{path}")
        self.settled()
        return self.page

    def settled(self) -> None:
        """Wait until nothing more is being loaded."""
        self.page.wait_for_load_state("networkidle")

    def sessions(self, state: str = "confirmed") -> Any:
        """Those in view."""
        return self.page.locator(f".ec-event.desk-s-{state}:visible")

    def shoot(self, name: str, *, whole: bool = False) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)

    # -- what no page may do -------------------------------------------------------------------------------------------

    def check(self) -> None:
        """It asks no other host, breaks nowhere, fits its window, and takes no visitor's text for markup."""
        assert self.foreign == []
        assert self.trouble == []
        assert self.page.title() != "taken"
        wide, window = self._settled()
        assert wide <= window, f"{self.page.url} is {wide} wide in a window of {window}"
        found = self.violations()
        assert found == [], "\n".join(found)

    def _settled(self) -> tuple[int, int]:
        """How wide the page and its window are, once it follows a window that was just made narrower."""
        ends_at = time.monotonic() + SETTLES_IN
        while True:  # Playwright's own way to wait evaluates text in the page, which the page's policy forbids
            wide, window = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
            if wide <= window or time.monotonic() > ends_at:
                return wide, window
            self.page.wait_for_timeout(50)

    def violations(self) -> list[str]:
        """What axe-core calls serious or critical, a line each."""
        if not self.page.evaluate("Boolean(window.axe)"):
            self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{self.page.url} {rule['id']}: {node['html'][:160]} ({node['failureSummary'][:160]})"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    def _hear(self, line: Any) -> None:
        """Mailed pages name no icon: a browser asks for one of its own accord and finds none."""
        if line.type == "error" and not line.location["url"].endswith("/favicon.ico"):
            self.trouble.append(line.text)

    def _note(self, request: Any) -> None:
        host = urlsplit(request.url)
        if host.scheme in ("http", "https", "ws", "wss") and host.netloc != urlsplit(self.practice.url).netloc:
            self.foreign.append(request.url)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Without a sandbox of its own: containers and root have none to give. What has a browser imports much."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


def at_the_desk(practice: Practice, browser: Browser, *, zone: str = "Asia/Kolkata") -> Desk:
    """Somebody logged in, whose computer is in `zone`. The first one logs in by the pages, the others go on with that:
    an app shows a code each 30 s."""
    context = browser.new_context(timezone_id=zone, locale="en-GB", reduced_motion="reduce")
    desk = Desk(practice, context.new_page())
    if practice.cookies:
        context.add_cookies(practice.cookies)
    else:
        desk.log_in()
        practice.cookies.extend(context.cookies())
    return desk
