"""What a session has proved, and for how long it may go on; it is read from the session alone, without a query.

Three instants stand in it: the log-in, the last sign of life, and when password and second factor were last proved.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.dispatch import Signal

# beside the log-in: `request`, whose password was asked for again and is right with the rest; `account` and `now`,
# whose second factor was wrong
password_proved, factor_refused = Signal(), Signal()
FACTOR, BEGAN, SEEN, PROVED = "second_factor", "began_at", "seen_at", "proved_at"
SEEN_EVERY = timedelta(minutes=1)  # a sign of life costs a write


class Factor(StrEnum):
    """By what the second step was done."""

    APP = "app"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


def begin(session: SessionBase, *, now: datetime) -> None:
    """The password was right; nothing else is known yet."""
    session[BEGAN] = session[SEEN] = now.timestamp()


def verify(session: SessionBase, factor: Factor, *, is_password_new: bool, now: datetime) -> None:
    """The second factor was right, too, under a new key. `is_password_new`: and the password in the same moment."""
    session.cycle_key()
    session[FACTOR] = factor.value
    session[PROVED] = now.timestamp() if is_password_new else session.get(BEGAN, 0)


def is_verified(session: SessionBase) -> bool:
    """Whether the second step is done."""
    return FACTOR in session


def is_fresh(session: SessionBase, *, now: datetime) -> bool:
    """Whether both were proved so lately that exports, roles and the like need not ask again."""
    return is_verified(session) and _age(session, PROVED, now) <= settings.LOGIN_FRESH


def is_over(session: SessionBase, *, now: datetime) -> bool:
    """Whether nobody used it for too long, or the log-in is too long ago."""
    return _age(session, SEEN, now) > settings.LOGIN_IDLE or _age(session, BEGAN, now) > settings.LOGIN_LONGEST


def keep_alive(session: SessionBase, *, now: datetime) -> None:
    """A request came."""
    if _age(session, SEEN, now) >= SEEN_EVERY:
        session[SEEN] = now.timestamp()


def _age(session: SessionBase, name: str, now: datetime) -> timedelta:
    return timedelta(seconds=now.timestamp() - session.get(name, 0))
