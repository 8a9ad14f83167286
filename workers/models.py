"""What the release step remembers about the schedule, so that an operator's edit is never overwritten."""

from __future__ import annotations

from django.db import models

from backend.core.personal_data import classify


class InstalledDefault(models.Model):
    """The digest of a beat entry as we last wrote it; a row that reads differently now was edited by somebody."""

    name = models.CharField(max_length=200, primary_key=True)
    digest = models.CharField(max_length=64)

    SENSITIVITY = classify(internal="name digest")

    def __str__(self) -> str:
        return self.name
