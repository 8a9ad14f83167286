"""By what staff narrow the list of bookings, and in which order it stands."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.machine import ACTIVE, State
from backend.bookings.models import Booking

# Asked again after we left them unanswered: they come first. Beside the list's own count the sorting costs little
PRIORITY_FIRST = Case(
    When(state=State.PENDING, is_priority=True, then=Value(0)), default=Value(1), output_field=IntegerField()
).asc()


class PreferredDate(admin.SimpleListFilter):
    """Django's own date filter looks back; a desk looks ahead."""

    title = "preferred date"
    parameter_name = "preferred"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        return [("past", "Passed"), ("today", "Today"), ("tomorrow", "Tomorrow"), ("week", "Next 7 days")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        today = timezone.now().astimezone(policy.zone()).date()
        wanted = {
            "past": Q(preferred_date__lt=today),
            "today": Q(preferred_date=today),
            "tomorrow": Q(preferred_date=today + timedelta(days=1)),
            "week": Q(preferred_date__range=(today, today + timedelta(days=7))),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))


class Asking(admin.SimpleListFilter):
    """What somebody waits for, beyond the state."""

    title = "what is asked"
    parameter_name = "asked"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        return [("again", "Asked again"), ("cancel", "Asked to cancel")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        wanted = {
            "again": Q(is_priority=True, state__in=ACTIVE),
            "cancel": Q(cancellation_requested_at__isnull=False),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))
