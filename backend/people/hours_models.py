"""When a psychologist works: hours of every week or of one day, and time off."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from simple_history.models import HistoricalRecords

from backend.core.formatting import short_day_and_time
from backend.core.personal_data import classify

SHOWN_FOR = timedelta(days=7)  # what is over leaves pages and programs after this; it stays in the history


class HoursMode(models.TextChoices):
    """What working hours are for."""

    ONLINE = "ONLINE", "Online"
    OFFLINE = "OFFLINE", "In person"
    BOTH = "BOTH", "Online and in person"


class WorkingHours(models.Model):
    """A span of a psychologist's day, every week (`weekday`) or once (`day`), in their own time zone."""

    psychologist = models.ForeignKey("Psychologist", on_delete=models.CASCADE, related_name="working_hours")
    weekday = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        choices=list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))),
    )
    day = models.DateField(null=True, blank=True)
    starts_at = models.TimeField("from")
    ends_at = models.TimeField("until", help_text="00:00 is the end of the day.")
    offers = models.CharField("for", max_length=8, choices=HoursMode.choices, default=HoursMode.ONLINE)
    location = models.ForeignKey(
        "Location", null=True, blank=True, on_delete=models.PROTECT, help_text="Empty: the psychologist's own."
    )
    history = HistoricalRecords()
    judged_together = False  # set by who edits all hours of a psychologist at once: what is stored is then no measure

    SENSITIVITY = classify(internal="psychologist weekday day starts_at ends_at offers location")

    class Meta:
        verbose_name_plural = "working hours"
        ordering = ["day", "weekday", "starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weekday__isnull=False, day=None) | models.Q(weekday=None, day__isnull=False),
                name="hours_weekly_or_once",
                violation_error_message="Give either a weekday or a day.",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")) | models.Q(ends_at=time.min),
                name="hours_end_after_start",
                violation_error_message="The end must be after the start.",
            ),
        ]

    def __str__(self) -> str:
        when = self.get_weekday_display() if self.day is None else self.day
        hours = [f"{at:%H:%M}" for at in (self.starts_at, self.ends_at) if at is not None]
        return f"{when} {' to '.join(hours)}"

    def clean(self) -> None:
        """Refuse an end before the start, hours in person without a place, and hours over others of the same day."""
        if (self.weekday is None) == (self.day is None):
            raise ValidationError({"weekday": "Give either a weekday or a day."})
        if self.starts_at is None or self.ends_at is None:
            return
        if time.min != self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "The end must be after the start."})
        whose = getattr(self, "psychologist", None)  # may be new and unsaved, beside their first hours
        if whose is None:
            return
        if self.offers != HoursMode.ONLINE and self.location_id is None and whose.location_id is None:
            raise ValidationError({"location": "Sessions in person need a place: choose one."})
        if not self.judged_together:
            stored = WorkingHours.objects.filter(psychologist=whose).exclude(pk=self.pk) if whose.pk else ()
            for other in stored:
                if share_time(self, other):
                    raise ValidationError({"starts_at": overlap_sentence(other)})


def share_time(one: WorkingHours, other: WorkingHours) -> bool:
    """Whether two rows of one psychologist's hours lie over one another on some day."""
    is_same_day = one.day == other.day if one.day and other.day else _weekday(one) == _weekday(other)
    first, later = sorted((one, other), key=lambda hours: hours.starts_at)
    return is_same_day and (first.ends_at == time.min or later.starts_at < first.ends_at)


def overlap_sentence(other: WorkingHours) -> str:
    """What is said beside the row that overlaps `other`."""
    return f"These hours overlap those of {other}."


def _weekday(hours: WorkingHours) -> int | None:
    return hours.weekday if hours.day is None else hours.day.weekday()


def shown_hours(rows: QuerySet[WorkingHours], *, now: datetime) -> QuerySet[WorkingHours]:
    """Of every week, and of days that are not long over."""
    return rows.filter(Q(day=None) | Q(day__gte=now.date() - SHOWN_FOR)).order_by("day", "weekday", "starts_at", "pk")


class TimeOff(models.Model):
    """When a psychologist gives no sessions whatever their hours say: instants, half-open. Held slots stay held."""

    psychologist = models.ForeignKey("Psychologist", on_delete=models.CASCADE, related_name="time_off")
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    note = models.CharField(max_length=120, blank=True, help_text="For the practice alone.")
    history = HistoricalRecords()

    SENSITIVITY = classify(personal="note", internal="psychologist starts_at ends_at")

    class Meta:
        verbose_name_plural = "time off"
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="time_off_ends_after_start",
                violation_error_message="The end must be after the start.",
            )
        ]
        indexes = [models.Index(fields=["psychologist", "ends_at"], name="time_off_psychologist")]

    def __str__(self) -> str:
        return f"{self.psychologist_id} {short_day_and_time(self.starts_at)}"

    def clean(self) -> None:
        """Refuse an end before the start."""
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "The end must be after the start."})
