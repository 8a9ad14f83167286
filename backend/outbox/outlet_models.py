"""The providers by which mail leaves, as all workers see them; a row exists once there is something to remember."""

from __future__ import annotations

from django.db import models

from backend.core.personal_data import classify


class Outlet(models.TextChoices):
    """Stored with each mail: by which of them it was last handed over."""

    FIRST = "", "EMAIL_PROVIDER"
    FALLBACK = "fallback", "EMAIL_FALLBACK_HOST"


class OutletState(models.Model):
    """Since when it takes nothing, when that is tried again, and when its next mail may leave."""

    outlet = models.CharField(max_length=8, choices=Outlet.choices, unique=True, blank=True)
    refused_since = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)

    SENSITIVITY = classify(personal="reason", internal="outlet refused_since probe_at next_at")

    def __str__(self) -> str:
        return self.get_outlet_display()
