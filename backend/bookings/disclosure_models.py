"""Who was shown a telephone number."""

from __future__ import annotations

from django.db import models

from backend.core.personal_data import classify


class Disclosure(models.Model):
    """Somebody was shown the telephone number of a booking that they see masked otherwise. Nobody edits it."""

    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="disclosures")
    actor = models.CharField(max_length=80)  # text, no foreign key: it outlives the account
    at = models.DateTimeField()
    correlation_id = models.CharField(max_length=64, blank=True)

    SENSITIVITY = classify(internal="booking actor at correlation_id")

    class Meta:
        verbose_name = "telephone number shown"
        verbose_name_plural = "telephone numbers shown"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.booking_id} to {self.actor}"
