"""The room of one confirmed online session. A room that closes is deleted: nobody needs to know where a session was."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from backend.core.personal_data import classify


class Room(models.Model):
    """One a booking, as long as that is confirmed for this time; a move makes another, under a name of its own."""

    booking = models.OneToOneField("bookings.Booking", on_delete=models.CASCADE, related_name="room")
    name = models.CharField(max_length=64, unique=True)  # drawn at random: says nothing of session or people
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    created_at = models.DateTimeField()

    SENSITIVITY = classify(personal="name", internal="booking opens_at closes_at created_at")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="room_closes_after_it_opens"),
        ]

    def __str__(self) -> str:
        return f"room of {self.booking_id}"
