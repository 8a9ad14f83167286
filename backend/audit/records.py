"""Writes the record: one INSERT. Who asks, where and by which request is known from the request in hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Protocol

from backend.accounts.models import TokenGrant
from backend.audit.models import AccessRecord, Kind
from backend.audit.shown import Shown, only_subject, to_text
from backend.bookings import actors
from backend.core import correlation


class Asked(Protocol):
    """A request, as far as a record tells of it."""

    def actor(self) -> str | None:
        """Of staff; None for anybody else."""

    def token(self) -> TokenGrant | None:
        """By which a program asked."""

    def page(self) -> str:
        """The address' name or pattern, without what it names."""


_in_hand: ContextVar[Asked | None] = ContextVar("request_in_hand", default=None)


@contextmanager
def during(asked: Asked) -> Iterator[None]:
    """What is written within is of this request."""
    before = _in_hand.set(asked)
    try:
        yield
    finally:
        _in_hand.reset(before)


def write(kind: Kind, shown: Shown, *, actor: str, now: datetime) -> None:
    """Raises DatabaseError: then nothing may be shown either."""
    asked = _in_hand.get()
    token = asked.token() if asked else None
    subject, subject_id = only_subject(shown) or ("", None)
    longest = AccessRecord._meta.get_field("page").max_length
    AccessRecord.objects.create(
        at=now,
        actor=actor,
        token_id=token.pk if token else None,
        token_name=token.name if token else "",
        kind=kind,
        page=asked.page()[:longest] if asked else "",
        shown=to_text(shown),
        subject=subject,
        subject_id=subject_id,
        correlation_id=correlation.current(),
    )


def current_actor() -> str:
    """The account behind the request in hand; the system, in commands."""
    asked = _in_hand.get()
    return (asked.actor() if asked else None) or actors.SYSTEM
