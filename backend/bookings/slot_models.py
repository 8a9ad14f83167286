"""What takes a psychologist's time away: a booking that holds a slot, and the days on which the practice is closed."""

from __future__ import annotations

import datetime as dates
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeAlias

from django.db import models
from django.db.models import Q

from backend.core.compiled_queries import compiled
from backend.core.formatting import practice_zone, short_day_and_time
from backend.core.personal_data import classify
from backend.core.statements import Row, Statement, ask
from backend.people.models import Psychologist

Calendar: TypeAlias = Callable[
    [datetime], tuple[datetime, bool]
]  # of an instant its local day's end, and if it is closed


class SlotClaim(models.Model):
    """A psychologist's time that is held: the row exists exactly while it is. Half-open, buffer included.

    The last net is the migration's exclusion constraint on PostgreSQL; on SQLite the check runs in an IMMEDIATE
    transaction.
    """

    psychologist = models.ForeignKey(
        Psychologist, on_delete=models.PROTECT, related_name="claims", db_index=False
    )  # `claim_psychologist` begins with it
    booking = models.OneToOneField("bookings.Booking", on_delete=models.PROTECT, related_name="claim")
    blocked_from = models.DateTimeField()
    blocked_until = models.DateTimeField()

    SENSITIVITY = classify(internal="psychologist booking blocked_from blocked_until")

    class Meta:
        verbose_name = "held slot"
        constraints = [
            models.CheckConstraint(
                condition=Q(blocked_until__gt=models.F("blocked_from")), name="claim_ends_after_start"
            )
        ]
        indexes = [models.Index(fields=["psychologist", "blocked_from"], name="claim_psychologist")]

    def __str__(self) -> str:
        return f"{self.psychologist_id} {short_day_and_time(self.blocked_from)}"


class ClosedDay(models.Model):
    """A day on which the practice is closed: every week (`weekday`) or once (`date`), in the practice's time zone."""

    weekday = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        unique=True,
        choices=list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))),
    )
    date = models.DateField(null=True, blank=True, unique=True)
    note = models.CharField(max_length=120, blank=True)

    SENSITIVITY = classify(internal="weekday date note")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__isnull=False, date=None) | Q(weekday=None, date__isnull=False),
                name="closed_weekday_or_date",
                violation_error_message="Give either a weekday or a date.",
            )
        ]

    def __str__(self) -> str:
        return str(self.date or self.get_weekday_display() or "no day")  # a form may have emptied both

    @classmethod
    def calendar(cls) -> Calendar:
        """A function from an instant to (end of its local day in UTC, whether that day is closed). One query."""
        return ask(cls.asking_calendar())

    @classmethod
    def asking_calendar(cls) -> Statement[Calendar]:
        """The same, to be asked with others."""
        return _closed_days.statement().then(_calendar)

    @classmethod
    def spans(cls, first: dates.date, last: dates.date) -> list[tuple[datetime, datetime]]:
        """The closed days from `first` to `last`, half-open; those that follow one another are one. One query."""
        rows, zone = _closed_days.rows(), practice_zone()
        weekdays, days = {row[0] for row in rows}, {row[1] for row in rows}
        found: list[tuple[datetime, datetime]] = []
        for number in range((last - first).days + 1 if rows else 0):
            day = first + timedelta(days=number)
            if day.weekday() in weekdays or day in days:
                start, end = (datetime.combine(at, time(), tzinfo=zone) for at in (day, day + timedelta(days=1)))
                found.append((found.pop()[0] if found and found[-1][1] == start else start, end))
        return found


@compiled
def _closed_days() -> models.QuerySet[ClosedDay, Any]:
    return ClosedDay.objects.order_by().values_list("weekday", "date")


def _calendar(rows: list[Row]) -> Calendar:
    zone = practice_zone()
    weekdays, dates = {row[0] for row in rows}, {row[1] for row in rows}

    def day_at(instant: datetime) -> tuple[datetime, bool]:
        day = instant.astimezone(zone).date()
        ends_at = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
        return ends_at, day.weekday() in weekdays or day in dates

    return day_at
