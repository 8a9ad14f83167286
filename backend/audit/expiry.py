"""Records that were kept long enough go, oldest first; the database refuses to let any other go."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from backend.audit.models import AccessRecord
from backend.bookings import policy

AT_ONCE = 1000


def expired(now: datetime) -> QuerySet[AccessRecord]:
    """What may go."""
    return AccessRecord.objects.filter(at__lt=now - policy.ACCESS_RECORDS_KEPT)


def expire(*, now: datetime) -> int:
    """A batch; returns how many went."""
    ids = list(expired(now).order_by("at").values_list("pk", flat=True)[:AT_ONCE])
    return AccessRecord.objects.filter(pk__in=ids).delete()[0] if ids else 0
