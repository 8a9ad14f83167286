"""Zoom's API of meetings and tokens on loopback, as it documents them: keeps the meetings, and fails as it is told."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import LazySettings

ACCOUNT, CLIENT, SECRET = "account-1", "client-1", "zoom-secret-of-tests"  # of tests alone
USERS = re.compile(r"/v2/users/([^/]+)/meetings")
MEETING = re.compile(r"/v2/meetings/(\d+)(/status)?")
A_PAGE = 2  # of the listing, however many were asked for
AS_ASKED, HANG_UP = -1, 0

Answer = tuple[int, dict[str, Any] | None]


@dataclass
class FakeZoom:
    """`hosts`: who is a user of the account. `trouble`: of each of the next requests the status that it gets instead,
    AS_ASKED, or HANG_UP once the work is done; afterwards `chance` says it. `lasts`: seconds of a token. `made`: how
    many meetings there ever were."""

    hosts: set[str]
    url: str = ""
    lasts: int = 3600
    meetings: dict[int, dict[str, Any]] = field(default_factory=dict)
    ended: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    trouble: deque[int] = field(default_factory=deque)
    chance: Callable[[], int] = lambda: AS_ASKED
    made: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(84_000_000_001))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def configure(self, settings: LazySettings) -> None:
        """Rooms of a test are made here."""
        for name, value in self.variables().items():
            setattr(settings, name, value)

    def variables(self) -> dict[str, str]:
        """Those that lead here."""
        keys = {"ZOOM_ACCOUNT_ID": ACCOUNT, "ZOOM_CLIENT_ID": CLIENT, "ZOOM_CLIENT_SECRET": SECRET}
        return {"ROOMS": "zoom", **keys, "ZOOM_URL": self.url, "ZOOM_LOGIN_URL": self.url}

    def answer(self, method: str, target: str, authorization: str, body: str) -> Answer:
        """One request, alone."""
        with self._lock:
            path = urlsplit(target).path
            self.asked.append(f"{method} {unquote(path)}")
            if path == "/oauth/token":
                return self._token(authorization, body)
            if authorization.removeprefix("Bearer ") not in self.tokens:
                return 401, {"code": 124, "message": "Invalid access token."}
            if found := USERS.fullmatch(path):
                return self._of_user(method, unquote(found[1]), target, body)
            if found := MEETING.fullmatch(path):
                return self._of_meeting(method, int(found[1]), bool(found[2]))
            return 404, {"code": 2300, "message": "This API endpoint is not recognized."}

    def _token(self, authorization: str, body: str) -> Answer:
        given = {name: values[0] for name, values in parse_qs(body).items()}
        is_known = authorization == "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if not is_known:
            return 401, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}
        if given != {"grant_type": "account_credentials", "account_id": ACCOUNT}:
            return 400, {"reason": "Bad Request", "error": "invalid_request"}
        token = f"token-{len(self.tokens) + 1}"
        self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": self.lasts}

    def _of_user(self, method: str, user: str, target: str, body: str) -> Answer:
        if user not in self.hosts:
            return 404, {"code": 1001, "message": f"User does not exist: {user}."}
        if method == "GET":
            return 200, self._page(user, parse_qs(urlsplit(target).query))
        number, self.made = next(self._numbers), self.made + 1
        meeting = {
            **json.loads(body),
            "id": number,
            "host_email": user,
            "join_url": f"https://zoom.us/j/{number}?pwd=x{number}",
        }
        self.meetings[number] = meeting
        return 201, meeting

    def _page(self, user: str, query: dict[str, list[str]]) -> dict[str, Any]:
        theirs = [meeting for meeting in self.meetings.values() if meeting["host_email"] == user]
        begin = int(query.get("next_page_token", ["0"])[0])
        more = begin + A_PAGE < len(theirs)
        return {"meetings": theirs[begin : begin + A_PAGE], "next_page_token": str(begin + A_PAGE) if more else ""}

    def _of_meeting(self, method: str, number: int, is_status: bool) -> Answer:
        if number not in self.meetings:
            return 404, {"code": 3001, "message": f"Meeting does not exist: {number}."}
        if is_status:
            self.ended.append(number)
        else:
            del self.meetings[number]
        return 204, None


@contextmanager
def serving(*hosts: str) -> Iterator[FakeZoom]:
    """Zoom, with these users, until the block ends."""
    zoom = FakeZoom(set(hosts))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            trouble = zoom.trouble.popleft() if zoom.trouble else zoom.chance()
            if trouble > 0:
                self._say(trouble, {"message": "trouble"})
                return
            status, content = zoom.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            if trouble == HANG_UP:
                self.close_connection = True
                return
            self._say(status, content)

        def _say(self, status: int, content: dict[str, Any] | None) -> None:
            said = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # as the library calls them

        def log_message(self, *_arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        zoom.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield zoom
        server.shutdown()
