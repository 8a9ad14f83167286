"""By what staff narrow the list of bookings, and in which order it stands."""

from __future__ import annotations

from abc import abstractmethod
from datetime import date, datetime, time, timedelta

from django.contrib import admin
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone

from backend.bookings.machine import ACTIVE, AWAITS_PAYMENT, State
from backend.bookings.models import Booking, PaymentMode
from backend.bookings.payment_status import is_paid
from backend.core.formatting import practice_zone
from backend.desk.waiting import lapsing, unpaid, unrecorded
from backend.outbox.by_telephone import to_tell
from backend.payments.models import OVER, Refund

AGAIN = Q(state=State.PENDING, is_priority=True)  # asked again after we left them unanswered: they come first
PRIORITY_FIRST = Case(When(AGAIN, then=Value(0)), default=Value(1), output_field=IntegerField()).asc()
_DAY = timedelta(days=1)
SOON = timedelta(hours=4)
AWAITED = (State.DRAFT, State.PENDING, State.APPROVED, State.PAYMENT_PENDING)  # whose deadline somebody can miss


class Days(admin.SimpleListFilter):
    """Django's own date filter looks back; a desk looks ahead."""

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        return [("past", "Passed"), ("today", "Today"), ("tomorrow", "Tomorrow"), ("week", "Next 7 days")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        today = timezone.now().astimezone(practice_zone()).date()
        wanted = {
            "past": self.between(None, today),
            "today": self.between(today, today + _DAY),
            "tomorrow": self.between(today + _DAY, today + 2 * _DAY),
            "week": self.between(today, today + 8 * _DAY),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))

    @abstractmethod
    def between(self, first: date | None, end: date) -> Q:
        """Days from `first`, and before `end`."""


class PreferredDate(Days):
    title = "preferred date"
    parameter_name = "preferred"

    def between(self, first: date | None, end: date) -> Q:
        return Q(preferred_date__lt=end) & (Q(preferred_date__gte=first) if first else Q())


class SessionDate(Days):
    title = "session"
    parameter_name = "session"

    def between(self, first: date | None, end: date) -> Q:
        return Q(slot_start__lt=_midnight(end)) & (Q(slot_start__gte=_midnight(first)) if first else Q())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=practice_zone())


class Deadline(admin.SimpleListFilter):
    """What lapses by itself unless somebody acts."""

    title = "deadline"
    parameter_name = "deadline"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        return [("soon", "Within 4 hours"), ("day", "Within a day"), ("overdue", "Overdue")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        until = {"soon": SOON, "day": _DAY, "overdue": timedelta(0)}.get(self.value() or "")
        if until is None:
            return queryset
        return queryset.filter(state__in=AWAITED, due_at__lt=timezone.now() + until)


class Money(admin.SimpleListFilter):
    """Who pays, and how far the money is."""

    title = "payment"
    parameter_name = "money"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        return [
            ("online", "Pays online"), ("practice", "Pays at the practice"), ("sponsored", "Sponsored"),
            ("unpaid", "Held, not paid yet"), ("paid", "Paid"), ("owed", "Money to give back"),
        ]  # fmt: skip

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        owed = Refund.objects.exclude(state__in=OVER).values("payment__booking")  # few, so they lead
        wanted: dict[str, Q] = {
            "online": Q(payment_mode=PaymentMode.ONLINE, corporate=None),
            "practice": Q(payment_mode=PaymentMode.OFFLINE, corporate=None),
            "sponsored": Q(corporate__isnull=False),
            "unpaid": Q(state__in=AWAITS_PAYMENT),
            "paid": Q(is_paid()),
            "owed": Q(pk__in=owed),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))


class Waiting(admin.SimpleListFilter):
    """What waits for somebody, beyond the state; as Today has it."""

    title = "what waits"
    parameter_name = "waits"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        return [
            ("again", "Asked again"), ("cancel", "Asked to cancel"), ("choice", "Visitor chooses another time"),
            ("lapsing", "Holds about to lapse"),
            ("outcome", "Outcome not recorded"), ("unpaid", "Held, not paid at the practice"),
            ("untold", "To tell by telephone"),
        ]  # fmt: skip

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        now = timezone.now()
        match self.value():
            case "again":
                return queryset.filter(is_priority=True, state__in=ACTIVE)
            case "cancel":
                return queryset.filter(cancellation_requested_at__isnull=False)
            case "choice":
                return queryset.filter(choose_by__isnull=False)
            case "lapsing":
                return lapsing(queryset, now=now)
            case "outcome":
                return unrecorded(queryset, now=now)
            case "unpaid":
                return unpaid(queryset, now=now)
            case "untold":
                return queryset.filter(pk__in=to_tell(now=now).order_by().values("booking_id"))
        return queryset
