"""The second factor as somebody has it in their pocket, and an account that is logged in with it over HTTP."""

from __future__ import annotations

import re
import time
from base64 import b32decode
from dataclasses import dataclass

import requests
from django.contrib.auth.models import User
from django_otp.oath import TOTP
from django_otp_webauthn.models import WebAuthnCredential

from backend.accounts import second_factor
from backend.accounts.models import STEP, Authenticator

_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass
class App:
    """An authenticator app that has scanned `secret`. A code is taken once: asked again, it shows the next one."""

    secret: str
    _last: int = -1

    def code(self) -> str:
        """The one of this moment, or the one after what it showed last; the desk takes one that is 30 s early."""
        now = int(time.time()) // STEP
        self._last = max(now, self._last + 1)
        assert self._last <= now + 1, "two codes are shown already; the next one comes in 30 s"
        return self.code_at(self._last * STEP)

    def code_at(self, instant: float) -> str:
        totp = TOTP(b32decode(self.secret), STEP)
        totp.time = instant
        return f"{totp.token():06}"


def app_of(account: User) -> App:
    """The account has it from now on."""
    app = second_factor.begin_app(account)
    Authenticator.objects.filter(pk=app.pk).update(confirmed=True)
    return App(app.secret)


def passkey_of(account: User, name: str) -> WebAuthnCredential:
    return WebAuthnCredential.objects.create(
        user=account, name=name, credential_id=name.encode(), public_key=b"x", aaguid="x"
    )


def code_of(account: User) -> str:
    """Of the account's app, one later each time; it has one from now on."""
    app = Authenticator.objects.filter(user=account).first()
    return (App(app.secret, app.last_step) if app else app_of(account)).code()


def logged_in(url: str, username: str, password: str, app: App) -> requests.Session:
    """By the log-in page and the second step of a running server."""
    session = requests.Session()
    page = session.get(f"{url}/admin/", timeout=10)
    page = _sent(session, page, username=username, password=password, next="/admin/")
    page = _sent(session, page, code=app.code(), next="/admin/")
    assert page.url == f"{url}/admin/", page.url
    return session


def token_of(page: str) -> str:
    """What a form of this page sends with it."""
    found = _CSRF.search(page)
    assert found
    return found[1]


def _sent(session: requests.Session, page: requests.Response, **typed: str) -> requests.Response:
    typed["csrfmiddlewaretoken"] = token_of(page.text)
    return session.post(page.url, data=typed, headers={"Referer": page.url}, timeout=10)
