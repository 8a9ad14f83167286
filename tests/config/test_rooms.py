"""The settings of rooms: a start is refused by the name of the variable, and no secret is ever quoted."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from backend.core.environment import Misconfigured
from backend.rooms import checks
from config import rooms
from tests.support import commands, jitsi

pytestmark = pytest.mark.sqlite_only
OWN = {
    "JITSI_URL": f"https://{jitsi.HOST}",
    "JITSI_APP_ID": "practice",
    "JITSI_SECRET": jitsi.SECRET,
    "JITSI_KEY_ID": "",
}


def pem() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return base64.b64encode(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())).decode()


def test_an_own_server_a_hosted_one_and_none_are_taken() -> None:
    rooms.refuse_unfit(OWN, chosen="jitsi", is_real=True)
    hosted = {**OWN, "JITSI_URL": "https://8x8.vc", "JITSI_KEY_ID": "practice/4f4910", "JITSI_SECRET": pem()}
    rooms.refuse_unfit(hosted, chosen="jitsi", is_real=True)
    rooms.refuse_unfit(dict.fromkeys(OWN, ""), chosen="static", is_real=True)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *[(name, {name: ""}) for name in OWN if name != "JITSI_KEY_ID"],
        ("JITSI_URL", {"JITSI_URL": "http://jitsi.example.org"}),
        ("JITSI_APP_ID", {"JITSI_APP_ID": "the practice/1"}),
        ("JITSI_SECRET", {"JITSI_SECRET": "of-31-characters-is-one-too-few"}),
        ("JITSI_SECRET", {"JITSI_SECRET": "thirty two characters with spaces"}),
        ("JITSI_SECRET", {"JITSI_KEY_ID": "practice/4f4910"}),  # hosted, and no private key
    ],
)
def test_what_is_missing_or_malformed_is_named_and_not_quoted(name: str, changes: dict[str, str]) -> None:
    given = {**OWN, **changes}
    with pytest.raises(Misconfigured, match=name) as refused:
        rooms.refuse_unfit(given, chosen="jitsi", is_real=True)
    assert not given[name] or given[name] not in str(refused.value)


def test_a_process_without_the_secret_does_not_start(tmp_path: Path) -> None:
    ended = commands.start(tmp_path, "shell", "-v0", "-c", "", ROOMS="jitsi", JITSI_URL=OWN["JITSI_URL"])
    assert ended.stderr.startswith("Misconfigured: JITSI_APP_ID and JITSI_SECRET must be set")


def test_a_shared_link_is_warned_of_where_people_meet(settings) -> None:
    settings.DEBUG, settings.ROOMS = False, "static"
    assert [found.id for found in checks.rooms_are_private()] == ["rooms.W001"]
    settings.ROOMS = "jitsi"
    assert checks.rooms_are_private() == []
