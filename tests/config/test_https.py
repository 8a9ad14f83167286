"""Behind a proxy that ends TLS nothing is answered over plain http, and browsers are told to ask for https alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import commands

pytestmark = pytest.mark.sqlite_only
ASKED = (  # of a process with the settings of a deployment
    "from django.test import Client; browser = Client(headers={'host': 'api.example.org'}); "
    "plain, tls = (browser.get('/admin/login/', headers={'x-forwarded-proto': way}) for way in ('http', 'https')); "
    "print(plain.status_code, plain['Location'], len(plain.cookies), tls.status_code, "
    "tls['Strict-Transport-Security'], *(f'{name}:{cookie[\"secure\"]}' for name, cookie in tls.cookies.items()))"
)


def test_plain_http_leads_to_https_and_is_given_no_cookie(tmp_path: Path) -> None:
    deployed = {"PUBLIC_URL": "https://api.example.org", "ALLOWED_HOSTS": "api.example.org", "TRUSTED_PROXIES": "1"}
    done = commands.start(tmp_path, "shell", "-v0", "-c", ASKED, **deployed)
    year = "max-age=31536000; includeSubDomains; preload"
    said = f"301 https://api.example.org/admin/login/ 0 200 {year} __Host-csrf:True"
    assert done.stdout.strip() == said, done.stderr
