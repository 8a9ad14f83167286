"""The language and the clock of whoever reads: chosen by the visitor, else the practice's; staff read English.

Both are said around what is worded, `with languages.of(language, zone)`; `gettext` and `formatting` then use them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation

_zone: ContextVar[str] = ContextVar("zone of the reader", default="")


def codes() -> tuple[str, ...]:
    """What can be chosen, ISO 639-1."""
    return tuple(code for code, _ in settings.LANGUAGES)


def or_default(language: str) -> str:
    """This one, or the practice's for none, or for one that is offered no more."""
    return language if language in codes() else str(settings.PRACTICE_LANGUAGE)


@contextmanager
def of(language: str, zone: str = "") -> Iterator[None]:
    """What is worded within is in `language`; `zone`, an IANA name, is told beside the practice's where they differ."""
    token = _zone.set(zone)
    try:
        with translation.override(language):
            yield
    finally:
        _zone.reset(token)


def reader_zone() -> ZoneInfo | None:
    """Where the reader's clock is, if they said so."""
    name = _zone.get()
    return ZoneInfo(name) if name else None
