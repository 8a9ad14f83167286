"""A Jitsi server's own look at those who come: its rules of tokens, by PyJWT."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from django.conf import LazySettings

HOST = "jitsi.example.org"
SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978"  # a secret of tests


VARIABLES = {"ROOMS": "jitsi", "JITSI_URL": f"https://{HOST}", "JITSI_APP_ID": "practice", "JITSI_SECRET": SECRET}


def configure(settings: LazySettings) -> None:
    """Rooms of their own for the sessions of a test."""
    for name, value in {**VARIABLES, "JITSI_KEY_ID": ""}.items():
        setattr(settings, name, value)


def room_of(address: str) -> str:
    """The name of the room that an address leads to."""
    assert urlsplit(address).hostname == HOST
    return urlsplit(address).path.removeprefix("/")


def claims(address: str) -> dict[str, Any]:
    """What its token says, once the signature is that of the secret."""
    (token,) = parse_qs(urlsplit(address).query)["jwt"]
    unasked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    return jwt.decode(token, SECRET, algorithms=["HS256"], audience="jitsi", issuer="practice", options=unasked)


def admits(address: str, *, at: datetime) -> bool:
    """Whether the server lets them in then: the token names this room, and its time has come and is not over."""
    said = claims(address)
    return bool(said["room"] == room_of(address) and said["nbf"] <= at.timestamp() < said["exp"])
