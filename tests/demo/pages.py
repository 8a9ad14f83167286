"""The backend's own pages behind mailed links, as a browser shows them: text, and one button."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from tests.demo.expectations import Unexpected, expect
from tests.demo.responses import exchange, session

UNSEEN = ("style", "title", "script")


@dataclass(frozen=True)
class Page:
    """What is read, and what its button would send."""

    address: str
    status: int
    location: str  # where a redirect leads
    text: str
    action: str | None
    fields: dict[str, str]
    choices: list[str]  # what the radio buttons would send, in order; none is chosen

    def says(self, words: str) -> None:
        """Raises Unexpected unless they can be read on it."""
        if words not in self.text:
            raise Unexpected(f"“{words}” on the page", f"it says “{self.text}”")


class Pages:
    """A browser without script; mails lead it to `home`."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._session = session(Accept="text/html")

    def open(self, address: str) -> Page:
        """The page that a link leads to."""
        page = self._read(exchange(self._session, "GET", address), address)
        expect(f"status of {address.partition('?')[0]}", expected=200, came=page.status)
        return page

    def press(self, page: Page, **chosen: str) -> Page:
        """What comes of the button."""
        if page.action is None:
            raise Unexpected("a button on the page", f"it says “{page.text}”")
        address = urljoin(page.address, page.action)
        return self._read(exchange(self._session, "POST", address, data=page.fields | chosen), address)

    def _read(self, response: requests.Response, address: str) -> Page:
        kind = response.headers.get("Content-Type", "")
        expect("text/html:", expected=True, came=kind.startswith("text/html"))
        expect("Referrer-Policy", expected="no-referrer", came=response.headers.get("Referrer-Policy"))
        reader = _Reader()
        reader.feed(response.text)
        text = " ".join(" ".join(reader.words).split())
        location = response.headers.get("Location", "")
        return Page(address, response.status_code, location, text, reader.action, reader.fields, reader.choices)


@dataclass
class _Reader(HTMLParser):
    words: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    choices: list[str] = field(default_factory=list)
    action: str | None = None
    unseen: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("method") == "post":
            self.action = values.get("action", "")
        if tag == "input" and values.get("type") == "radio":
            self.choices.append(values["value"])
        elif tag == "input":
            self.fields[values["name"]] = values.get("value", "")
        if tag in UNSEEN:
            self.unseen = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self.unseen:
            self.unseen = ""

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.words.append(data)
