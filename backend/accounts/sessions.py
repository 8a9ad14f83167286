"""Sessions of the staff's pages, as rows that name their account, so that they can be listed and ended.

It is also Django's session engine. The cookie has the key, the row only its digest.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY as ACCOUNT
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet
from django.utils import timezone

from backend.accounts import verification
from backend.core.networks import client_network

AGENT, NETWORK = "agent", "network"
LONGEST_AGENT = 200


class SessionStore(db.SessionStore):
    """Django's own, over our rows."""

    @classmethod
    def get_model_class(cls) -> Any:
        from backend.accounts.models import Session  # models are not there when the engine is named

        return Session

    def load(self) -> dict[str, Any]:
        """Empty when the row is gone or has expired; its key is not used again."""
        row = self.model.objects.filter(pk=digest(self.session_key), expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        return super().exists(digest(session_key))

    def delete(self, session_key: str | None = None) -> None:
        if session_key := session_key or self.session_key:
            self.model.objects.filter(pk=digest(session_key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.session_key = digest(row.session_key)
        row.account_id = data.get(ACCOUNT)
        row.agent, row.network = data.get(AGENT, ""), data.get(NETWORK, "")
        row.began_at = _instant(data.get(verification.BEGAN))
        row.seen_at = _instant(data.get(verification.SEEN))
        row.is_verified = verification.FACTOR in data
        return row


def digest(session_key: str | None) -> str:
    """How a row names its key."""
    return hashlib.sha256((session_key or "").encode()).hexdigest()


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def begin_at_login(request: Any, **_signal: object) -> None:
    """After a password was found right."""
    session = getattr(request, "session", None)
    if session is None or ACCOUNT not in session:  # the API's log-in begins none
        return
    session[AGENT] = request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT]
    session[NETWORK] = client_network(request)
    verification.begin(session, now=timezone.now())


def of(account: User, *, now: datetime) -> QuerySet[Any]:
    """Where the account is logged in, the newest first."""
    rows: QuerySet[Any] = SessionStore.get_model_class().objects.filter(account=account, expire_date__gt=now)
    return rows.order_by("-seen_at")


def end_all(account: User, *, but: SessionBase | None = None) -> int:
    """End the account's sessions, save the one that asks. How many."""
    rows = SessionStore.get_model_class().objects.filter(account=account)
    if but is not None:
        rows = rows.exclude(pk=digest(but.session_key))
    return int(rows.delete()[0])
