"""The cookies of the desk: whose, over what, and for which script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import commands

PRINTED = (  # of a process with these settings
    "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, "
    "s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, "
    "s.CSRF_COOKIE_SAMESITE, s.SESSION_COOKIE_PATH, s.SESSION_COOKIE_DOMAIN, s.PASSKEYS_OFFERED, s.OTP_WEBAUTHN_RP_ID, "
    "*s.OTP_WEBAUTHN_ALLOWED_ORIGINS); from django.core.management import call_command; call_command('check')"
)
pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://Api.example.org",
            "__Host-session __Host-csrf True True True True Lax Lax / None True api.example.org https://api.example.org",
        ),
        (
            "http://localhost:8000",
            "sessionid csrftoken False False True True Lax Lax / None True localhost http://localhost:8000",
        ),
        ("http://10.0.0.7", "sessionid csrftoken False False True True Lax Lax / None False 10.0.0.7 http://10.0.0.7"),
    ],
)
def test_cookies_and_passkeys_follow_the_public_address(tmp_path: Path, url: str, expected: str) -> None:
    done = commands.start(tmp_path, "shell", "-v0", "-c", PRINTED, PUBLIC_URL=url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == expected
