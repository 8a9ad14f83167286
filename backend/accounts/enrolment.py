"""The one-time link with which an account sets up its second factor, and its password if it has none."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User

from backend.accounts.models import EnrolmentLink
from backend.core import keyring

PURPOSE = "enrol"  # beside those of `backend.bookings.link_models`, under the same keys


def make_link(account: User, *, by: str, now: datetime, mail: UUID | None = None) -> str:
    """Its token, told this once. A link made before opens nothing any more.

    One that is mailed is derived from the mail's row, so that no table holds it and each attempt says the same.
    """
    token = secrets.token_urlsafe(32) if mail is None else keyring.ring(keyring.TOKENS).newest.token(PURPOSE, mail)
    fields = {
        "digest": digest(token),
        "made_by": by[:80],
        "made_at": now,
        "expires_at": now + settings.ENROLMENT_LINK_LIFETIME,
    }
    EnrolmentLink.objects.update_or_create(account=account, defaults=fields)
    return token


def address(token: str) -> str:
    """Where the link leads, as it is handed over; `enrol` of the desk answers."""
    return f"{settings.PUBLIC_URL}/admin/account/enrol/?token={token}"


def mailed(account_id: int, mail: UUID, *, now: datetime) -> tuple[EnrolmentLink, str] | None:
    """The link that this mail brings, with its token; None when it was used, replaced, or is too old."""
    link = EnrolmentLink.objects.select_related("account").filter(account=account_id, expires_at__gt=now).first()
    if link is None or not link.account.is_active:
        return None
    tokens = (key.token(PURPOSE, mail) for key in keyring.ring(keyring.TOKENS))
    return next(((link, token) for token in tokens if digest(token) == link.digest), None)


def account_of(token_digest: str, *, now: datetime) -> User | None:
    """Whose link it is; None when it was used, replaced, is too old, or never was.

    The link is held to the end of the transaction: of two who come with it at once, the second finds it used.
    """
    found = EnrolmentLink.objects.select_for_update(of=("self",)).select_related("account")
    link = found.filter(digest=token_digest, expires_at__gt=now, account__is_active=True).first()
    return None if link is None else link.account


def spend(token_digest: str) -> None:
    """It opens nothing any more."""
    EnrolmentLink.objects.filter(digest=token_digest).delete()


def digest(token: str) -> str:
    """How a row and a session name a token."""
    return hashlib.sha256(token.encode()).hexdigest()
