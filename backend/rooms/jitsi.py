"""Jitsi: an own server, or the hosted one of 8x8. It admits who brings a token that names the room, within its time.

Nothing is asked over the network. A room is made by who enters it first, and is gone with the last; of a token it reads
`room`, `nbf` and `exp` when somebody enters. Who is in stays in: alone, since no other session has this name.
https://github.com/jitsi/lib-jitsi-meet/blob/master/doc/tokens.md, https://developer.8x8.com/jaas/docs/api-keys-jwt
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt

from backend.rooms.keys import private_key
from backend.rooms.models import Room
from backend.rooms.provider import Person


@dataclass(frozen=True)
class Account:
    """Of an own server a secret that both know; of the hosted one a private key, in base64, and the id of that key."""

    url: str
    app_id: str
    secret: str = field(repr=False)
    key_id: str = ""

    @property
    def is_hosted(self) -> bool:
        """By 8x8, which knows us by a key."""
        return bool(self.key_id)


class JitsiRooms:
    """Rooms of their own, one a session."""

    is_shared = False

    def __init__(self, account: Account) -> None:
        self.account = account

    def link(self, room: Room, person: Person, *, now: datetime) -> str:
        """Its pages take the token from their address; it admits nobody before the room opens or after it closes."""
        folder = f"{self.account.app_id}/" if self.account.is_hosted else ""
        return f"{self.account.url}/{folder}{room.name}?{urlencode({'jwt': self._token(room, person, now=now)})}"

    def _token(self, room: Room, person: Person, *, now: datetime) -> str:
        account, host = self.account, urlsplit(self.account.url).hostname or ""
        claims = {
            "aud": "jitsi",
            "iss": "chat" if account.is_hosted else account.app_id,
            "sub": account.app_id if account.is_hosted else host,
            "room": room.name,
            "iat": now,
            "nbf": room.opens_at,
            "exp": room.closes_at,
            "context": {"user": _user(person)},
        }
        if not account.is_hosted:
            return jwt.encode(claims, account.secret, algorithm="HS256")
        return jwt.encode(claims, private_key(account.secret), algorithm="RS256", headers={"kid": account.key_id})


def _user(person: Person) -> dict[str, Any]:
    """Their part, and never a name: they type what the other shall read. Jitsi's plugins look for it in two places."""
    leads = person is Person.HOST
    return {
        "id": person.value,
        "moderator": "true" if leads else "false",
        "affiliation": "owner" if leads else "member",
    }
