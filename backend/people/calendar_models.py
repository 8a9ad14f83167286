"""The address under which a psychologist's own calendar program reads their sessions."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from backend.core.personal_data import classify

if TYPE_CHECKING:
    from backend.people.models import Psychologist


class CalendarAddress(models.Model):
    """One a psychologist, good until it is ended or made anew. Of the address only the digest of its token is kept."""

    psychologist = models.OneToOneField(
        "people.Psychologist", on_delete=models.CASCADE, related_name="calendar_address"
    )
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()

    SENSITIVITY = classify(internal="psychologist digest created_at")

    class Meta:
        verbose_name_plural = "calendar addresses"

    def __str__(self) -> str:
        return f"calendar of {self.psychologist_id}"

    @classmethod
    def make(cls, psychologist: Psychologist, *, now: datetime) -> str:
        """The token, which is told this once; the one before opens nothing any more."""
        token = secrets.token_urlsafe(32)
        values = {"digest": _digest(token), "created_at": now}
        cls.objects.update_or_create(psychologist=psychologist, defaults=values)
        return token

    @classmethod
    def reader(cls, token: str) -> Psychologist | None:
        """Who reads by this token: somebody who gives sessions, with an account that opens the desk."""
        found = cls.objects.filter(
            digest=_digest(token),
            psychologist__is_active=True,
            psychologist__user__is_active=True,
            psychologist__user__is_staff=True,
        ).select_related("psychologist")
        row = found.first()
        return row.psychologist if row is not None else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
