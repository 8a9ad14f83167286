"""The answers to requests that carry a key of their sender's, so that a repetition is answered and not done again."""

from __future__ import annotations

from django.db import models

from backend.core.encryption import EncryptedTextField
from backend.core.personal_data import classify


class KeptAnswer(models.Model):
    """One key of one caller at one address: reserved before anything is done, answered with what was done.

    Whoever holds it has the newest `fence`; a holder that died loses it with its lease.
    """

    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of caller, address and key
    fingerprint = models.CharField(max_length=64)  # of what was sent, under a key of ours
    fence = models.PositiveIntegerField(default=1)
    reserved_at = models.DateTimeField()
    lease_ends_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answer = EncryptedTextField(blank=True, default="", row_id="digest")
    about = models.TextField(blank=True, default="")  # acknowledgement ids and clients, by which an erasure finds it

    SENSITIVITY = classify(
        sensitive="answer", internal="digest fingerprint fence reserved_at lease_ends_at answered_at about"
    )

    class Meta:
        indexes = [models.Index(fields=["reserved_at"], name="kept_answer_reserved")]

    def __str__(self) -> str:
        return f"{self.digest[:8]} {self.fence}"
