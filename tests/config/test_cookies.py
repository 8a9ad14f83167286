"""The cookies of the desk: whose, over what, and for which script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import commands

NAMES = (
    *("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"),
    *("SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SAMESITE"),
    *("SESSION_COOKIE_PATH", "SESSION_COOKIE_DOMAIN", "PASSKEYS_OFFERED", "OTP_WEBAUTHN_RP_ID"),
    "OTP_WEBAUTHN_ALLOWED_ORIGINS",
)
EXPECTED = {
    "https://Api.example.org": (
        "__Host-session __Host-csrf True True True True Lax Lax / None True api.example.org ['https://api.example.org']"
    ),
    "http://localhost:8000": (
        "sessionid csrftoken False False True True Lax Lax / None True localhost ['http://localhost:8000']"
    ),
    "http://10.0.0.7": "sessionid csrftoken False False True True Lax Lax / None False 10.0.0.7 ['http://10.0.0.7']",
}
pytestmark = pytest.mark.sqlite_only


def test_cookies_and_passkeys_follow_the_public_address(tmp_path: Path) -> None:
    found = commands.settings_with(tmp_path, [{"PUBLIC_URL": url} for url in EXPECTED], *NAMES)
    assert dict(zip(EXPECTED, found, strict=True)) == EXPECTED


@pytest.mark.parametrize("url", ["https://Api.example.org", "http://10.0.0.7"])  # others start at localhost
def test_the_library_of_passkeys_takes_what_it_is_told(tmp_path: Path, url: str) -> None:
    done = commands.start(tmp_path, "check", "--tag", "compatibility", PUBLIC_URL=url)
    assert done.returncode == 0, done.stderr
