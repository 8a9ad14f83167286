"""Subscriptions, their secrets, and the log of deliveries."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from backend.core.encryption import EncryptedTextField
from backend.core.outgoing.called_address import LONGEST
from backend.core.personal_data import classify
from backend.outbox.models import Message


class EndedWhy(models.TextChoices):
    """Why nothing more is sent to a subscription."""

    BY_STAFF = "by_staff", "Ended by staff"
    GONE = "gone", "Its server answered 410 Gone"


class Subscription(models.Model):
    """Who is told of which events. It ends, and stays as long as its log names it."""

    name = models.CharField(max_length=80, help_text="Whose server it is, and what for.")
    address = models.CharField(max_length=LONGEST, help_text="https://… of that server; we ask it by POST.")
    events = models.JSONField(default=list)  # values of EventType
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=16, choices=EndedWhy.choices, blank=True)
    # since it last took an event: the first that it did not take, how many since, and until when it is left alone
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)

    SENSITIVITY = classify(
        # staff type the name, and an address may carry a key of whoever gave it
        personal="name address",
        internal="events created_at created_by ended_at ended_why failing_since failures retry_at",
    )

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=Q(ended_at=None), name="subscription_live")]

    def __str__(self) -> str:
        return self.name


class Secret(models.Model):
    """What the deliveries of a subscription are signed with. An older one signs beside the newest until it ends."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="secrets")
    secret = EncryptedTextField(row_id="uuid")  # whsec_ and base64
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    SENSITIVITY = classify(sensitive="secret", internal="uuid subscription created_at ends_at")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"secret of {self.subscription_id}"


class Delivery(models.Model):
    """One attempt to deliver an event: when, what the server answered, and how long it took. Never what it said."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="deliveries")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)  # HTTP's
    trouble = models.CharField(max_length=80, blank=True)  # where there was no answer
    milliseconds = models.PositiveIntegerField()

    SENSITIVITY = classify(internal="subscription message at status trouble milliseconds")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["subscription", "-id"], name="delivery_subscription"),
            models.Index(fields=["at"], name="delivery_at"),  # how long it is kept
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.at} {self.status or self.trouble}"
