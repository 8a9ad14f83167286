"""Zoom: a meeting for each session, made when it is confirmed, ended and deleted with it.

The psychologist is a user of the practice's account, by the address that they have here, and leads once signed in
there. Zoom lets guests in 15 minutes before the start; it keeps no end, so that we delete the meeting.
https://developers.zoom.us/docs/internal-apps/s2s-oauth/, https://developers.zoom.us/docs/api/meetings/
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from backend.core.errors import AccountTrouble, Permanent, Transient, Unreadable
from backend.core.outgoing.asking import Answer, Call, Line
from backend.core.outgoing.fields import Fields, Malformed
from backend.rooms.models import ADDRESS_LONGEST, Room
from backend.rooms.provider import Made, Person, Plan

TOPIC = "Appointment"  # what whoever looks over a shoulder reads
SCHEDULED = 2  # their number of a meeting that takes place once
OPENS_BEFORE = 15  # minutes, as `policy.ROOM_OPENS_BEFORE`; they know 5, 10 and 15
A_PAGE, PAGES_MOST = 300, 10
SPARE_SECONDS = 60.0  # before its end a token is not used any more
ID_MOST = 10**15


@dataclass(frozen=True)
class Account:
    """An app of Zoom's kind "Server-to-Server OAuth". `url` and `login_url` are theirs, or a test's."""

    account_id: str
    client_id: str
    client_secret: str = field(repr=False)
    url: str = "https://api.zoom.us"
    login_url: str = "https://zoom.us"


class ZoomRooms:
    """Rooms of their own, one a session. See `AskedRooms` for what each method promises."""

    is_shared = False

    def __init__(self, account: Account) -> None:
        self._account = account
        self._line = Line("zoom", account.url)

    def link(self, room: Room, _person: Person, *, now: datetime) -> str:  # noqa: ARG002  # as every provider's
        """Both enter at one address, which leads to this session alone."""
        return str(room.address)

    def make(self, plan: Plan) -> Made:
        """Zoom knows no key against repeating, so that the host's meetings are looked through for the name first."""
        asking = self._begin()
        meeting = next(asking.named(plan), None) or asking.create(plan)
        try:
            return Made(str(_id(meeting)), meeting.text("join_url", longest=ADDRESS_LONGEST))
        except Malformed as error:
            raise Unreadable(f"zoom: {error}") from error

    def unmake(self, plan: Plan, provider_id: str) -> None:
        asking = self._begin()
        for each in [provider_id] if provider_id else [str(_id(one)) for one in asking.named(plan)]:
            asking.end(each)

    def _begin(self) -> _Asking:
        return _Asking(self._line.call(), _tokens.token(self._account))


class _Asking:
    """What is asked for one room, by one token."""

    def __init__(self, call: Call, token: str) -> None:
        self._call = call
        self._token = token

    def named(self, plan: Plan) -> Iterator[Fields]:
        """The host's meetings of this name; there is one, or none. Raises OutsideFailure."""
        page = ""
        for _ in range(PAGES_MOST):
            answer = self._ask("GET", "users", plan.host, "meetings", query=_page(page))
            try:
                yield from (one for one in answer.items("meetings") if one.data.get("agenda") == plan.name)
                page = answer.text_or_empty("next_page_token")
            except Malformed as error:
                raise Unreadable(f"zoom: {error}") from error
            if not page:
                return

    def create(self, plan: Plan) -> Fields:
        """Nobody but who has the address, without a waiting room, and nothing is recorded or mailed by Zoom."""
        return self._ask(
            "POST",
            *("users", plan.host, "meetings"),
            body={
                "topic": TOPIC,
                "agenda": plan.name,
                "type": SCHEDULED,
                "start_time": plan.starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "duration": round((plan.ends_at - plan.starts_at).total_seconds() / 60),
                "settings": {
                    "join_before_host": True,
                    "jbh_time": OPENS_BEFORE,
                    "waiting_room": False,
                    "auto_recording": "none",
                    "email_notification": False,
                },
            },
        )

    def end(self, meeting: str) -> None:
        """One that is gone already, or that nobody entered, is as good as ended."""
        self._ask("PUT", "meetings", meeting, "status", body={"action": "end"}, may_fail=True)
        self._ask("DELETE", "meetings", meeting, may_be_gone=True)

    def _ask(self, method: str, *path: str, may_fail: bool = False, may_be_gone: bool = False, **more: Any) -> Fields:
        try:
            answer = self._call.ask(
                method, "v2", *path, headers={"Authorization": f"Bearer {self._token}".encode()}, **more
            )
        except AccountTrouble as error:  # the worker has other services to call: they shall not wait for Zoom's account
            _tokens.forget()
            raise Transient(str(error), surely_not_sent=error.surely_not_sent) from error
        is_gone = may_be_gone and answer.status == HTTPStatus.NOT_FOUND
        if not (answer.is_ok or may_fail or is_gone):
            raise _refusal(answer)
        return answer.fields


class _Tokens:
    """The token that this process has; Zoom's last an hour."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Ask for another the next time."""
        self._token, self._account, self._until = "", Account("", "", ""), float("-inf")

    def token(self, account: Account) -> str:
        """Raises OutsideFailure."""
        if account != self._account or time.monotonic() >= self._until:
            self._fetch(account)
        return self._token

    def _fetch(self, account: Account) -> None:
        line = Line("zoom", account.login_url, auth=(account.client_id, account.client_secret))
        given = {"grant_type": "account_credentials", "account_id": account.account_id}
        try:
            answer = line.call().ask("POST", "oauth", "token", form=given)
        except AccountTrouble as error:
            raise Transient(
                "zoom: it does not know ZOOM_CLIENT_ID with ZOOM_CLIENT_SECRET", surely_not_sent=True
            ) from error
        if not answer.is_ok:
            raise Transient(f"zoom: no token, HTTP {answer.status}", surely_not_sent=True)
        try:
            self._token, lasts = answer.fields.text("access_token", longest=4000), answer.fields.whole("expires_in")
        except Malformed as error:
            raise Unreadable(f"zoom: {error}") from error
        self._account, self._until = account, time.monotonic() + lasts - SPARE_SECONDS


_tokens = _Tokens()


def _page(token: str) -> dict[str, str | int]:
    begin: dict[str, str | int] = {"type": "scheduled", "page_size": A_PAGE}
    return {**begin, "next_page_token": token} if token else begin


def _id(meeting: Fields) -> int:
    value = meeting.data.get("id")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < ID_MOST:
        raise Malformed("id: not a meeting's number")
    return value


def _refusal(answer: Answer) -> Permanent:
    """By its number; its words may name the host."""
    code = answer.fields.data.get("code")
    return Permanent(f"zoom: HTTP {answer.status}, code {code if isinstance(code, int) else 'unknown'}")
