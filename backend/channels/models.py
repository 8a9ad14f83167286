"""Who said that we may write to their telephone: by which channel, for what, to which number, and until when."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from backend.channels.names import ChannelName
from backend.core.personal_data import classify
from backend.people.models import Client

CHANNELS = [
    (ChannelName.WHATSAPP.value, "WhatsApp"),
    (ChannelName.SMS.value, "SMS"),
    (ChannelName.CUSTOM.value, "text message"),
]


class Purpose(models.TextChoices):
    """What is written for. A consent to one says nothing of another."""

    REMINDERS = "reminders", "Reminders of sessions"


class Consent(models.Model):
    """One consent of one person. It is never changed, only withdrawn; another choice is another row.

    It names the number that it was given for: a number that is corrected is consented to anew.
    """

    # deleted first by who forgets a person (`redaction.forget`); Django does not look, so that nobody else pays for it
    client = models.ForeignKey(Client, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    channel = models.CharField(max_length=16, choices=CHANNELS)
    phone_number = models.CharField(max_length=20)  # E.164
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=80)  # the visitor, or who of staff was told
    notice_version = models.CharField(max_length=10)  # of the privacy notice that was in force for them
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=80, blank=True)

    SENSITIVITY = classify(
        sensitive="phone_number",
        internal="client purpose channel given_at given_by notice_version withdrawn_at withdrawn_by",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            # one channel a purpose; also how a person's is found
            models.UniqueConstraint(
                fields=["client", "purpose"], condition=Q(withdrawn_at=None), name="consent_one_a_purpose"
            ),
        ]
        indexes = [
            # who answers STOP is known by the number
            models.Index(fields=["phone_number"], condition=Q(withdrawn_at=None), name="consent_number"),
            # all of a person's
            models.Index(fields=["client", "id"], name="consent_client"),
            # how long withdrawn ones are kept
            models.Index(fields=["withdrawn_at"], condition=Q(withdrawn_at__isnull=False), name="consent_withdrawn"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} by {self.get_channel_display()}"
