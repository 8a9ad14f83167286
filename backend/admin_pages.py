"""What the admin pages of every app share: rows that nobody edits, and instants as the practice reads them."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.http import HttpRequest

NOTHING = "-"


class ReadOnly:
    """For a page or an inline that shows rows and changes none."""

    def has_add_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False


def instant(at: datetime | None) -> str:
    """`Tue 1 Dec 2026, 18:30 IST`, in the practice's zone."""
    if at is None:
        return NOTHING
    local = at.astimezone(ZoneInfo(settings.PRACTICE_TIME_ZONE))
    return f"{day(local)}, {local:%H:%M %Z}"


def day(on: date) -> str:
    """`Tue 1 Dec 2026`."""
    return f"{on:%a} {on.day} {on:%b %Y}"
