"""The ledger's rows: what happened to a booking."""

from __future__ import annotations

from django.db import models

from backend.bookings.machine import State
from backend.core.personal_data import classify


class LedgerEntry(models.Model):
    """What happened to a booking. Append-only: database triggers refuse UPDATE and DELETE. No personal data."""

    # no index of its own: `ledger_sequence_once` begins with it
    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="ledger", db_index=False)
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    intent = models.CharField(max_length=40)
    source = models.CharField(max_length=16, blank=True)
    target = models.CharField(max_length=16, choices=State.choices)
    reason = models.CharField(max_length=24, blank=True)
    actor = models.CharField(max_length=80)  # text, no foreign key: it outlives the account
    details = models.JSONField(default=dict, blank=True)  # written and read by ledger_details
    correlation_id = models.CharField(max_length=64, blank=True)

    SENSITIVITY = classify(internal="booking sequence at intent source target reason actor details correlation_id")

    class Meta:
        ordering = ["booking_id", "sequence"]
        verbose_name_plural = "ledger"
        constraints = [models.UniqueConstraint(fields=["booking", "sequence"], name="ledger_sequence_once")]

    def __str__(self) -> str:
        return f"{self.booking_id}:{self.sequence} {self.intent}"
