"""The room of one confirmed online session. A room that closes is deleted: nobody needs to know where a session was."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import F, Q

from backend.core.encryption import EncryptedTextField
from backend.core.personal_data import classify

NAME_BYTES = 16  # 128 random bits: no two rooms share a name, and nobody guesses one
ADDRESS_LONGEST = 500


def drawn_name() -> str:
    """Small letters and digits alone, since Jitsi reads names without regard to case."""
    return secrets.token_hex(NAME_BYTES)


class Room(models.Model):
    """One a booking, as long as that is confirmed for this time; a move makes another, under a name of its own.

    A provider that is asked over a network makes it later, and takes it away later: until then the row stays.
    """

    booking = models.ForeignKey("bookings.Booking", on_delete=models.CASCADE, related_name="rooms")
    name = models.CharField(max_length=64, unique=True, default=drawn_name)  # says nothing of session or people
    psychologist = models.ForeignKey(  # whose account with the provider it is in; of rooms from before, nobody's
        "people.Psychologist", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    created_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)  # by the provider that was asked
    provider_id = models.CharField(max_length=64, blank=True, db_default="")
    address = EncryptedTextField(max_length=ADDRESS_LONGEST, blank=True, row_id="name", db_default="")
    closed_at = models.DateTimeField(null=True, blank=True)  # not the booking's any more; to be taken away

    SENSITIVITY = classify(
        personal="name provider_id address",
        internal="booking psychologist opens_at closes_at created_at made_at closed_at",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="room_closes_after_it_opens"),
            models.UniqueConstraint(fields=["booking"], condition=Q(closed_at=None), name="room_one_a_booking"),
        ]

    def __str__(self) -> str:
        return f"room of {self.booking_id}"
