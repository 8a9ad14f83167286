"""Who takes part in a session: the client, the psychologist, where they meet, and who may pay for it."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator, URLValidator
from django.db import models
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from backend.encryption import EncryptedTextField


class Client(models.Model):
    """One person, known by a lower-cased address. Inserted empty by the first draft; verification fills it."""

    email = models.EmailField(max_length=254)
    full_name = models.CharField(max_length=120, blank=True)
    phone_number = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField("state", max_length=80, blank=True)
    country = models.CharField(max_length=80, blank=True)
    gender = models.CharField(max_length=20, blank=True)
    emergency_contact = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["email"], name="client_email_unique"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="client_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email


class Location(models.Model):
    """Where sessions in person take place."""

    name = models.CharField(max_length=120)
    address = models.TextField(max_length=500)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class Psychologist(models.Model):
    """Someone who gives sessions, one at a time."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    full_name = models.CharField(max_length=120)
    email = models.EmailField(max_length=254)
    fee_paise = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Fee of a session in paise (150000 is 1,500 rupees). Empty: the practice's default.",
    )
    meeting_link = models.CharField(
        max_length=200, blank=True, validators=[URLValidator(["https"])], help_text="Where online sessions take place."
    )
    location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.PROTECT)
    is_active = models.BooleanField(default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["full_name"]

    def __str__(self) -> str:
        return self.full_name


class Corporate(models.Model):
    """An employer who sponsors sessions."""

    name = models.CharField(max_length=120, unique=True)
    contact_email = models.EmailField(max_length=254, blank=True)
    is_active = models.BooleanField(default=True)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class Enquiry(models.Model):
    """What somebody wrote through the site's contact and corporate forms. The text is encrypted."""

    subject = models.CharField(max_length=200)
    text = EncryptedTextField()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "enquiries"
        indexes = [models.Index(fields=["received_at"], name="enquiry_received")]

    def __str__(self) -> str:
        return self.subject
