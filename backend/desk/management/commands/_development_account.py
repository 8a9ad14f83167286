"""The account that `make run` makes, with a second factor whose secret is printed: for development alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User

from backend.accounts import second_factor
from backend.accounts.models import Authenticator

NAME = "desk"


@dataclass(frozen=True)
class DevelopmentAccount:
    """What is printed of it."""

    password: str
    secret: str
    uri: str


def make() -> DevelopmentAccount | None:
    """None when it is there."""
    if User.objects.filter(username=NAME).exists():
        return None
    password = secrets.token_urlsafe(15)
    account = User.objects.create_superuser(NAME, "desk@example.org", password)
    app = second_factor.begin_app(account)
    Authenticator.objects.filter(pk=app.pk).update(confirmed=True)
    return DevelopmentAccount(password, app.shared_secret(), second_factor.uri(app))
