"""Asks another service over HTTP, within five seconds in all, and says whether what it asked can have been taken."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests

from backend.core.errors import AccountTrouble, Transient
from backend.core.outgoing.failures import never_connected
from backend.core.outgoing.fields import Fields, Malformed
from backend.core.outgoing.sending import Received, send

TOTAL_SECONDS = (
    5.0  # what `complete-payment` may take, so of all asks of one piece of work, or of one page of a listing
)


@dataclass(frozen=True)
class Answer:
    """The service's own word: a JSON object, or nothing with 204, and a status of 2xx or 4xx."""

    status: int
    fields: Fields

    @property
    def is_ok(self) -> bool:
        return self.status < HTTPStatus.BAD_REQUEST


class Line:
    """The way to one service at `url`. `headers` and `auth` (HTTP Basic) go with each ask."""

    def __init__(
        self, name: str, url: str, *, headers: Mapping[str, bytes] | None = None, auth: tuple[str, str] | None = None
    ) -> None:
        self.name = name
        self.url = url
        self.headers = dict(headers or {})
        self.auth = auth

    def call(self) -> Call:
        """What may be asked from now on, within TOTAL_SECONDS."""
        return Call(self, time.monotonic() + TOTAL_SECONDS)


class Call:
    """The asks of one piece of work, which share its time. Each raises `Transient` if it brings no
    answer, or one that says "later" (429, 5xx)."""

    def __init__(self, line: Line, until: float) -> None:
        self._line = line
        self._until = until
        self._has_changed_something = False

    def ask(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> Answer:
        """One request, never repeated or led elsewhere. `body` goes as JSON, `form` as a form's fields,
        `content` as it is, since it was signed."""
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise self._transient("no time left to ask")
        request = requests.Request(
            method,
            "/".join([self._line.url, *[quote(part, safe="") for part in path]]),
            params=query,
            json=body,
            data=form if content is None else content,
            headers={**self._line.headers, **(headers or {})},
            auth=self._line.auth,
        )
        try:
            received = send(request, seconds=seconds)
        except requests.RequestException as error:
            raise self._transient(type(error).__name__, surely_not_sent=never_connected(error)) from error
        answer = self._read(received)
        self._has_changed_something |= method != "GET"
        return answer

    def _read(self, received: Received) -> Answer:
        """What is neither an object nor 2xx or 4xx is the word of a proxy, or of a service in trouble."""
        is_busy = received.status == HTTPStatus.TOO_MANY_REQUESTS
        if is_busy or not (200 <= received.status < 300 or 400 <= received.status < 500):
            raise self._transient(f"HTTP {received.status}", surely_not_sent=is_busy)
        try:
            is_empty = received.status == HTTPStatus.NO_CONTENT
            answer = Answer(received.status, Fields({}) if is_empty else Fields.parse(received.body))
        except Malformed as error:
            raise self._transient(f"HTTP {received.status}, {error}") from error
        if answer.status == HTTPStatus.UNAUTHORIZED:  # our key is wrong: what is owed waits until it is right
            raise AccountTrouble(f"{self._line.name}: HTTP 401", surely_not_sent=not self._has_changed_something)
        return answer

    def _transient(self, what: str, *, surely_not_sent: bool = False) -> Transient:
        """What an earlier ask of this call changed was sent, whatever became of the last one."""
        is_first = not self._has_changed_something
        return Transient(f"{self._line.name}: {what}", surely_not_sent=surely_not_sent and is_first)
