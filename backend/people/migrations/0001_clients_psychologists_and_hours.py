import datetime
import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import backend.core.encryption
import backend.people.models


class Migration(migrations.Migration):
    replaces = [
        ("people", "0001_initial"),
        ("people", "0002_enquiries"),
        ("people", "0003_hours_languages_and_time_off"),
        ("people", "0004_corporate_contracts"),
        ("people", "0001_clients_psychologists_and_corporates"),
        ("people", "0003_phone_numbers_as_e164"),
        ("people", "0004_clients_without_an_address"),
        ("people", "0005_texts_beside_the_old"),
        ("people", "0006_texts_bound_to_their_row"),
        ("people", "0007_unbound_texts_gone"),
        ("people", "0008_calendars_that_are_subscribed_to"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Corporate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                ("contact_email", models.EmailField(blank=True, max_length=254)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        help_text="What its people give when they book, such as ACME-7Q4K. Empty: no code.",
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[0-9A-Z-]+\\Z", "Use letters, digits and hyphens."
                            )
                        ],
                    ),
                ),
                (
                    "ends_on",
                    models.DateField(
                        blank=True, help_text="Last day. Empty: no end.", null=True, verbose_name="contract until"
                    ),
                ),
                (
                    "sessions_a_month",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Sessions sponsored a calendar month, by the session's day. Empty: no limit.",
                        null=True,
                    ),
                ),
                (
                    "starts_on",
                    models.DateField(
                        blank=True, help_text="First day. Empty: no beginning.", null=True, verbose_name="contract from"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("code", ""), _negated=True),
                        fields=("code",),
                        name="corporate_code_unique",
                        violation_error_message="Another corporate has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_on", None),
                            ("ends_on", None),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="corporate_contract_ends_after_start",
                        violation_error_message="The contract must not end before it begins.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Location",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("address", models.TextField(max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="Client",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("full_name", models.CharField(blank=True, max_length=120)),
                ("phone_number", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=80)),
                ("region", models.CharField(blank=True, max_length=80, verbose_name="state")),
                ("country", models.CharField(blank=True, max_length=80)),
                ("gender", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField()),
                (
                    "emergency_contact",
                    backend.core.encryption.EncryptedTextField(
                        blank=True, default="", max_length=120, row_id="stable_id"
                    ),
                ),
                ("stable_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="client_email_lower_case",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("email", ""), _negated=True),
                        fields=("email",),
                        name="client_address_unique",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalClient",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("full_name", models.CharField(blank=True, max_length=120)),
                ("phone_number", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=80)),
                ("region", models.CharField(blank=True, max_length=80, verbose_name="state")),
                ("country", models.CharField(blank=True, max_length=80)),
                ("gender", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField()),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "emergency_contact",
                    backend.core.encryption.EncryptedTextField(
                        blank=True, default="", max_length=120, row_id="stable_id"
                    ),
                ),
                ("stable_id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
            ],
            options={
                "verbose_name": "historical client",
                "verbose_name_plural": "historical clients",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalCorporate",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(db_index=True, max_length=120)),
                ("contact_email", models.EmailField(blank=True, max_length=254)),
                ("is_active", models.BooleanField(default=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        help_text="What its people give when they book, such as ACME-7Q4K. Empty: no code.",
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[0-9A-Z-]+\\Z", "Use letters, digits and hyphens."
                            )
                        ],
                    ),
                ),
                (
                    "ends_on",
                    models.DateField(
                        blank=True, help_text="Last day. Empty: no end.", null=True, verbose_name="contract until"
                    ),
                ),
                (
                    "sessions_a_month",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Sessions sponsored a calendar month, by the session's day. Empty: no limit.",
                        null=True,
                    ),
                ),
                (
                    "starts_on",
                    models.DateField(
                        blank=True, help_text="First day. Empty: no beginning.", null=True, verbose_name="contract from"
                    ),
                ),
            ],
            options={
                "verbose_name": "historical corporate",
                "verbose_name_plural": "historical corporates",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalLocation",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("address", models.TextField(max_length=500)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical location",
                "verbose_name_plural": "historical locations",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPsychologist",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("full_name", models.CharField(max_length=120)),
                ("email", models.EmailField(max_length=254)),
                (
                    "fee_paise",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Fee of a session in paise (150000 is 1,500 rupees). Empty: the practice's default.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "meeting_link",
                    models.CharField(
                        blank=True,
                        help_text="Where online sessions take place.",
                        max_length=200,
                        validators=[django.core.validators.URLValidator(["https"])],
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="people.location",
                    ),
                ),
                (
                    "buffer_minutes",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(240)],
                        verbose_name="pause after a session in minutes",
                    ),
                ),
                (
                    "horizon_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(366),
                        ],
                        verbose_name="booking horizon in days",
                    ),
                ),
                (
                    "notice_hours",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(720)],
                        verbose_name="minimum notice in hours",
                    ),
                ),
                ("registration_number", models.CharField(blank=True, help_text="As visitors read it.", max_length=40)),
                (
                    "session_minutes",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(240),
                        ],
                        verbose_name="session length in minutes",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        help_text="Of the hours below, such as Asia/Kolkata.",
                        max_length=40,
                        validators=[backend.people.models.validate_zone],
                    ),
                ),
            ],
            options={
                "verbose_name": "historical psychologist",
                "verbose_name_plural": "historical psychologists",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Enquiry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=200)),
                ("received_at", models.DateTimeField()),
                ("text", backend.core.encryption.EncryptedTextField(row_id="stable_id")),
                ("stable_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
            ],
            options={
                "verbose_name_plural": "enquiries",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["received_at"], name="enquiry_received")],
            },
        ),
        migrations.CreateModel(
            name="Language",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(django.db.models.functions.text.Lower("name"), name="language_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Specialization",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(django.db.models.functions.text.Lower("name"), name="specialization_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SponsorDomain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "domain",
                    models.CharField(
                        help_text="What follows the @, exactly. Never that of a public mail service: everybody would be sponsored.",
                        max_length=253,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[0-9a-z-]+(\\.[0-9a-z-]+)+\\Z", "Write it as in acme.example, in lower case."
                            )
                        ],
                    ),
                ),
                (
                    "corporate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="domains", to="people.corporate"
                    ),
                ),
            ],
            options={
                "ordering": ["domain"],
            },
        ),
        migrations.CreateModel(
            name="Psychologist",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("full_name", models.CharField(max_length=120)),
                ("email", models.EmailField(max_length=254)),
                (
                    "fee_paise",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Fee of a session in paise (150000 is 1,500 rupees). Empty: the practice's default.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "meeting_link",
                    models.CharField(
                        blank=True,
                        help_text="Where online sessions take place.",
                        max_length=200,
                        validators=[django.core.validators.URLValidator(["https"])],
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "location",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="people.location"
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "buffer_minutes",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(240)],
                        verbose_name="pause after a session in minutes",
                    ),
                ),
                (
                    "horizon_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(366),
                        ],
                        verbose_name="booking horizon in days",
                    ),
                ),
                (
                    "notice_hours",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(720)],
                        verbose_name="minimum notice in hours",
                    ),
                ),
                ("registration_number", models.CharField(blank=True, help_text="As visitors read it.", max_length=40)),
                (
                    "session_minutes",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(240),
                        ],
                        verbose_name="session length in minutes",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        help_text="Of the hours below, such as Asia/Kolkata.",
                        max_length=40,
                        validators=[backend.people.models.validate_zone],
                    ),
                ),
                ("languages", models.ManyToManyField(blank=True, to="people.language")),
                ("specializations", models.ManyToManyField(blank=True, to="people.specialization")),
            ],
            options={
                "ordering": ["full_name"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalTimeOff",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                ("note", models.CharField(blank=True, help_text="For the practice alone.", max_length=120)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "psychologist",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="people.psychologist",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical time off",
                "verbose_name_plural": "historical time off",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalWorkingHours",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ],
                        null=True,
                    ),
                ),
                ("day", models.DateField(blank=True, null=True)),
                ("starts_at", models.TimeField(verbose_name="from")),
                ("ends_at", models.TimeField(help_text="00:00 is the end of the day.", verbose_name="until")),
                (
                    "offers",
                    models.CharField(
                        choices=[("ONLINE", "Online"), ("OFFLINE", "In person"), ("BOTH", "Online and in person")],
                        default="ONLINE",
                        max_length=8,
                        verbose_name="for",
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Empty: the psychologist's own.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="people.location",
                    ),
                ),
                (
                    "psychologist",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="people.psychologist",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical working hours",
                "verbose_name_plural": "historical working hours",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="TimeOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                ("note", models.CharField(blank=True, help_text="For the practice alone.", max_length=120)),
                (
                    "psychologist",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="time_off", to="people.psychologist"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "time off",
                "ordering": ["starts_at"],
                "indexes": [models.Index(fields=["psychologist", "ends_at"], name="time_off_psychologist")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="time_off_ends_after_start",
                        violation_error_message="The end must be after the start.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkingHours",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ],
                        null=True,
                    ),
                ),
                ("day", models.DateField(blank=True, null=True)),
                ("starts_at", models.TimeField(verbose_name="from")),
                ("ends_at", models.TimeField(help_text="00:00 is the end of the day.", verbose_name="until")),
                (
                    "offers",
                    models.CharField(
                        choices=[("ONLINE", "Online"), ("OFFLINE", "In person"), ("BOTH", "Online and in person")],
                        default="ONLINE",
                        max_length=8,
                        verbose_name="for",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the psychologist's own.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="people.location",
                    ),
                ),
                (
                    "psychologist",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="working_hours",
                        to="people.psychologist",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "working hours",
                "ordering": ["day", "weekday", "starts_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("day", None), ("weekday__isnull", False)),
                            models.Q(("day__isnull", False), ("weekday", None)),
                            _connector="OR",
                        ),
                        name="hours_weekly_or_once",
                        violation_error_message="Give either a weekday or a day.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__gt", models.F("starts_at")), ("ends_at", datetime.time(0, 0)), _connector="OR"
                        ),
                        name="hours_end_after_start",
                        violation_error_message="The end must be after the start.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "psychologist",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calendar_address",
                        to="people.psychologist",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "calendar addresses",
            },
        ),
    ]
