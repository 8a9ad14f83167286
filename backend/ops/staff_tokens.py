"""Tokens of the staff API as people and the machine make and end them: each is a row of the access log."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from backend.accounts import tokens
from backend.accounts.models import TokenGrant
from backend.audit import records
from backend.audit.models import Kind


@transaction.atomic
def issue(account: User, *, name: str, scope: str, lifetime: timedelta, actor: str, now: datetime) -> str:
    """The token, told this once."""
    _, token = tokens.make(account, name=name, scope=scope, lifetime=lifetime)
    _record(account, actor=actor, now=now)
    return token


@transaction.atomic
def revoke(grant: TokenGrant, *, actor: str, now: datetime) -> bool:
    """Whether it was there still, and is gone."""
    account = grant.token.user
    is_gone = tokens.revoke(account, str(grant.pk))
    if is_gone:
        _record(account, actor=actor, now=now)
    return is_gone


def _record(account: User, *, actor: str, now: datetime) -> None:
    records.write(Kind.RIGHTS_CHANGED, {"user.token": [account.pk]}, actor=actor, now=now)
