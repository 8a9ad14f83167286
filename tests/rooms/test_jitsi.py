"""What a hosted Jitsi is told: as 8x8 documents its tokens."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from backend.rooms.jitsi import Account, JitsiRooms
from backend.rooms.models import Room
from backend.rooms.provider import Person

pytestmark = pytest.mark.sqlite_only
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_hosted_server_is_told_by_the_key_that_it_knows() -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = base64.b64encode(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())).decode()
    rooms = JitsiRooms(Account("https://8x8.vc", "vpaas-magic-cookie-1", pem, "vpaas-magic-cookie-1/4f4910"))
    room = Room(opens_at=NOW, closes_at=NOW + timedelta(hours=1))
    address = urlsplit(rooms.link(room, Person.HOST, now=NOW))
    assert address.path == f"/vpaas-magic-cookie-1/{room.name}"
    (token,) = parse_qs(address.query)["jwt"]
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": "vpaas-magic-cookie-1/4f4910", "typ": "JWT"}
    unasked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    said = jwt.decode(token, key.public_key(), algorithms=["RS256"], audience="jitsi", options=unasked)
    assert (said["iss"], said["sub"], said["room"]) == ("chat", "vpaas-magic-cookie-1", room.name)
    assert (said["nbf"], said["exp"]) == (NOW.timestamp(), room.closes_at.timestamp())
    assert said["context"]["user"]["moderator"] == "true"


def test_names_are_drawn_and_the_secret_is_not_shown() -> None:
    rooms = JitsiRooms(Account("https://jitsi.example.org", "practice", "a secret of 32 characters or more"))
    drawn = [Room() for _ in range(100)]
    assert len({room.name for room in drawn}) == 100
    assert "secret of 32" not in repr(rooms.account)
