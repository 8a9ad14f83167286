"""Sums that a large practice keeps, as counting them reads many rows."""

from __future__ import annotations

from django.db import models

from backend.core.personal_data import classify


class KeptSum(models.Model):
    """What was counted, and when: `kept_sums` says for how long it is told."""

    name = models.CharField(max_length=80, primary_key=True)
    value = models.JSONField()  # numbers, days and ids of ours
    counted_at = models.DateTimeField()

    SENSITIVITY = classify(internal="name value counted_at")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
