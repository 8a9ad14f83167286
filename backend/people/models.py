"""Who takes part in a session: the client, the psychologist, where they meet, and who may pay for it."""

from __future__ import annotations

from uuid import uuid4
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from backend.core.encryption import EncryptedTextField
from backend.core.personal_data import classify
from backend.people.calendar_models import CalendarAddress as CalendarAddress
from backend.people.hours_models import SHOWN_FOR as SHOWN_FOR
from backend.people.hours_models import HoursMode as HoursMode
from backend.people.hours_models import TimeOff as TimeOff
from backend.people.hours_models import WorkingHours as WorkingHours
from backend.people.hours_models import overlap_sentence as overlap_sentence
from backend.people.hours_models import share_time as share_time
from backend.people.hours_models import shown_hours as shown_hours


class Client(models.Model):
    """One person, known by a lower-cased address. Inserted empty by the first draft; verification fills it.

    Without an address it is whoever called that time, and nobody else: never looked up, never merged.
    """

    email = models.EmailField(max_length=254, blank=True)
    full_name = models.CharField(max_length=120, blank=True)
    phone_number = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField("state", max_length=80, blank=True)
    country = models.CharField(max_length=80, blank=True)
    gender = models.CharField(max_length=20, blank=True)
    emergency_contact = EncryptedTextField(max_length=120, blank=True, default="", row_id="stable_id")
    stable_id = models.UUIDField(default=uuid4, unique=True, editable=False)  # what its texts are sealed for
    created_at = models.DateTimeField()
    history = HistoricalRecords()

    SENSITIVITY = classify(
        personal="email full_name city region country gender",
        sensitive="phone_number emergency_contact",
        internal="stable_id created_at",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["email"], condition=~Q(email=""), name="client_address_unique"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="client_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    @classmethod
    def at(cls, address: str | models.Expression) -> models.QuerySet[Client]:
        """Who is known by it; said so that the index of addresses answers, which leaves out the empty ones."""
        return cls.objects.filter(~Q(email=""), email=address)


class Location(models.Model):
    """Where sessions in person take place."""

    name = models.CharField(max_length=120)
    address = models.TextField(max_length=500)
    history = HistoricalRecords()

    SENSITIVITY = classify(internal="name address")

    def __str__(self) -> str:
        return self.name


class Language(models.Model):
    """A language that sessions are held in."""

    name = models.CharField(max_length=40)

    SENSITIVITY = classify(internal="name")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="language_once")]

    def __str__(self) -> str:
        return self.name


class Specialization(models.Model):
    """What a psychologist is trained for, as visitors look for it."""

    name = models.CharField(max_length=80)

    SENSITIVITY = classify(internal="name")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="specialization_once")]

    def __str__(self) -> str:
        return self.name


def validate_zone(name: str) -> None:
    """Refuse what the IANA data base does not know."""
    if name not in available_timezones():
        raise ValidationError("There is no such time zone; zones are written as Asia/Kolkata.")


class Psychologist(models.Model):
    """Someone who gives sessions, one at a time. What is empty of their terms is the practice's default."""

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
    registration_number = models.CharField(max_length=40, blank=True, help_text="As visitors read it.")
    languages = models.ManyToManyField(Language, blank=True)
    specializations = models.ManyToManyField(Specialization, blank=True)
    time_zone = models.CharField(
        max_length=40, blank=True, validators=[validate_zone], help_text="Of the hours below, such as Asia/Kolkata."
    )
    session_minutes = models.PositiveSmallIntegerField(
        "session length in minutes", null=True, blank=True, validators=[MinValueValidator(5), MaxValueValidator(240)]
    )
    buffer_minutes = models.PositiveSmallIntegerField(
        "pause after a session in minutes", null=True, blank=True, validators=[MaxValueValidator(240)]
    )
    notice_hours = models.PositiveSmallIntegerField(
        "minimum notice in hours", null=True, blank=True, validators=[MaxValueValidator(720)]
    )
    horizon_days = models.PositiveSmallIntegerField(
        "booking horizon in days", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    history = HistoricalRecords()

    SENSITIVITY = classify(
        personal="user full_name email meeting_link registration_number",
        internal="fee_paise location is_active time_zone session_minutes buffer_minutes notice_hours horizon_days",
    )

    class Meta:
        ordering = ["full_name"]

    def __str__(self) -> str:
        return self.full_name


class Corporate(models.Model):
    """An employer who sponsors sessions: whose, from when until when, and how many a month."""

    name = models.CharField(max_length=120, unique=True)
    contact_email = models.EmailField(max_length=254, blank=True)
    is_active = models.BooleanField(default=True)
    code = models.CharField(
        max_length=40,
        blank=True,
        validators=[RegexValidator(r"\A[0-9A-Z-]+\Z", "Use letters, digits and hyphens.")],
        help_text="What its people give when they book, such as ACME-7Q4K. Empty: no code.",
    )
    starts_on = models.DateField("contract from", null=True, blank=True, help_text="First day. Empty: no beginning.")
    ends_on = models.DateField("contract until", null=True, blank=True, help_text="Last day. Empty: no end.")
    sessions_a_month = models.PositiveIntegerField(
        null=True, blank=True, help_text="Sessions sponsored a calendar month, by the session's day. Empty: no limit."
    )
    history = HistoricalRecords()

    SENSITIVITY = classify(
        personal="contact_email",
        internal="name is_active code starts_on ends_on sessions_a_month",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                condition=~models.Q(code=""),
                name="corporate_code_unique",
                violation_error_message="Another corporate has this code.",
            ),
            models.CheckConstraint(
                condition=models.Q(starts_on=None)
                | models.Q(ends_on=None)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="corporate_contract_ends_after_start",
                violation_error_message="The contract must not end before it begins.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SponsorDomain(models.Model):
    """Whoever proved an address in this domain belongs to the corporate; one domain, one corporate."""

    corporate = models.ForeignKey(Corporate, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(
        max_length=253,
        unique=True,
        validators=[RegexValidator(r"\A[0-9a-z-]+(\.[0-9a-z-]+)+\Z", "Write it as in acme.example, in lower case.")],
        help_text="What follows the @, exactly. Never that of a public mail service: everybody would be sponsored.",
    )

    SENSITIVITY = classify(internal="corporate domain")

    class Meta:
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain


class Enquiry(models.Model):
    """What somebody wrote through the site's contact and corporate forms. The text is encrypted."""

    subject = models.CharField(max_length=200)
    text = EncryptedTextField(row_id="stable_id")
    stable_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    received_at = models.DateTimeField()

    SENSITIVITY = classify(personal="subject", sensitive="text", internal="stable_id received_at")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "enquiries"
        indexes = [models.Index(fields=["received_at"], name="enquiry_received")]

    def __str__(self) -> str:
        return self.subject
