"""Who was shown a telephone number."""

from __future__ import annotations

from django.db import models


class Disclosure(models.Model):
    """Somebody was shown the telephone number of a booking that they see masked otherwise. Nobody edits it."""

    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="disclosures")
    actor = models.CharField(max_length=80)  # text, no foreign key: it outlives the account
    at = models.DateTimeField()
    correlation_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.booking_id} to {self.actor}"
