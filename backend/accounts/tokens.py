"""Tokens for programs of staff: knox keeps digest and end, and here stands what each is for and may do."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from knox.models import AuthToken

from backend.accounts import passwords
from backend.accounts.models import TokenGrant
from backend.core.row_ids import row_id

LONGEST = timedelta(days=90)


@transaction.atomic
def make(account: User, *, name: str, scope: str, lifetime: timedelta) -> tuple[TokenGrant, str]:
    """With the token, which is told this once."""
    row, token = AuthToken.objects.create(account, expiry=min(lifetime, LONGEST))
    return TokenGrant.objects.create(token=row, name=name, scope=scope), token


def of_everybody(*, now: datetime) -> QuerySet[TokenGrant]:
    """Those that still open something, newest first."""
    found = TokenGrant.objects.filter(token__expiry__gt=now).select_related("token__user")
    return found.order_by("-token__created", "-pk")


def of(account: User, *, now: datetime) -> QuerySet[TokenGrant]:
    """The account's among them."""
    return of_everybody(now=now).filter(token__user=account)


def revoke(account: User, grant_id: str) -> bool:
    """Whether it was there, and is gone."""
    ids = TokenGrant.objects.filter(pk=row_id(grant_id), token__user=account)
    return bool(AuthToken.objects.filter(pk__in=ids.values("token")).delete()[0])


def revoke_all(account: User) -> int:
    """Every token of the account. How many."""
    _, gone = AuthToken.objects.filter(user=account).delete()  # with what each may do
    return int(gone.get(AuthToken._meta.label, 0))


def revoke_all_on_password_change(
    instance: User, update_fields: frozenset[str] | None = None, **_signal: object
) -> None:
    """After an account was stored with another password, or with none any more, its tokens of the API end."""
    if passwords.has_changed(instance, update_fields):
        revoke_all(instance)
