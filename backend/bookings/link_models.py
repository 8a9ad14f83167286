"""The rows behind mailed links: what a link lets its holder do, and the times that a rejection offered instead."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from backend.core.personal_data import classify
from backend.people.models import Psychologist


class Purpose(models.TextChoices):
    """What a mailed link lets its holder do."""

    BOOKING = "booking", "Booking"  # proves a DRAFT, later reads; never spent
    CANCEL = "cancel", "Cancel"  # proves a cancellation that was asked for
    CANCEL_LATE = "cancel_late", "Cancel late"  # in the confirmation mail, until the start
    RESCHEDULE = (
        "reschedule",
        "Reschedule",
    )  # in approval and confirmation mails, as long as a visitor may move the session
    ALTERNATIVE = "alternative", "Alternative"  # in a rejection: takes one of the times it offers
    PAY = "pay", "Pay"  # where a gateway has pages: leads to the one of this booking, while it is to be paid
    ROOM = "room", "Room"  # in the psychologist's mails: into the room of this session, as who gives it
    AGAIN = "again", "Request again"  # in the apology for a request we left unanswered
    DATA = "data", "Your data"  # in the mail that somebody asks for at the site: shows all that we keep of them
    ERASURE = "erasure", "Erase your data"  # proves the wish to be erased, stops it, and shows what became of it


class Alternative(models.Model):
    """A time that a rejection offers instead. Nobody holds it until it is taken."""

    booking = models.ForeignKey("bookings.Booking", on_delete=models.CASCADE, related_name="alternatives")  # rejected
    number = models.PositiveSmallIntegerField()  # from 1, in the order in which they are offered
    psychologist = models.ForeignKey(Psychologist, on_delete=models.PROTECT)
    slot_start = models.DateTimeField()
    slot_end = models.DateTimeField()
    amount_paise = models.PositiveIntegerField()  # the price that was offered
    taken_by = models.OneToOneField(
        "bookings.Booking", null=True, blank=True, on_delete=models.PROTECT, related_name="taken_from"
    )

    SENSITIVITY = classify(internal="booking number psychologist slot_start slot_end amount_paise taken_by")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["booking", "number"], name="alternative_once"),
            models.CheckConstraint(
                condition=Q(slot_end__gt=models.F("slot_start")), name="alternative_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.booking_id}:{self.number}"


class Link(models.Model):
    """A mailed link. Only the token's digest is stored; the mail worker derives the token again from the message."""

    booking = models.ForeignKey("bookings.Booking", on_delete=models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    alternative = models.ForeignKey(Alternative, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    message_uuid = models.UUIDField()
    digest = models.CharField(max_length=64, unique=True)  # SHA-256, hex
    key_id = models.CharField(max_length=8)  # of the key of TOKEN_KEY that signed it; empty: of none that we know
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)  # null: as long as the booking is open
    spent_at = models.DateTimeField(null=True, blank=True)

    SENSITIVITY = classify(
        internal="booking purpose alternative message_uuid digest key_id created_at expires_at spent_at",
    )

    class Meta:
        indexes = [
            models.Index(fields=["message_uuid"], name="link_message"),
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="link_expiry"),
            models.Index(fields=["alternative"], condition=Q(alternative__isnull=False), name="link_alternative"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
