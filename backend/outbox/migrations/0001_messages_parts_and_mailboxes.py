import uuid

import django.db.models.deletion
from django.db import migrations, models

import backend.core.encryption


class Migration(migrations.Migration):
    replaces = [
        ("outbox", "0001_initial"),
        ("outbox", "0002_discarded_rows_and_paused_queues"),
        ("outbox", "0001_messages_and_paused_queues"),
        ("outbox", "0002_attempts_that_may_have_left_and_snoozes"),
        ("outbox", "0003_words_that_staff_read"),
        ("outbox", "0004_limits_count_by_mailbox"),
        ("outbox", "0005_accounts_that_are_refused_and_hand_overs"),
        ("outbox", "0006_messages_about_several_bookings"),
        ("outbox", "0007_words_beside_the_old"),
        ("outbox", "0008_words_bound_to_their_row"),
        ("outbox", "0009_unbound_words_gone"),
        ("outbox", "0010_answers_to_blank"),
        ("outbox", "0012_what_became_of_a_mail_that_left"),
        ("outbox", "0013_mailboxes_that_mail_does_not_reach"),
        ("outbox", "0014_worker_of_calls"),
        ("outbox", "0015_a_second_mail_provider"),
    ]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "queue",
                    models.CharField(
                        choices=[("mail", "Mail"), ("payments", "Payments"), ("calls", "Calls")], max_length=16
                    ),
                ),
                ("kind", models.CharField(max_length=48)),
                ("dedupe_key", models.CharField(max_length=120, unique=True)),
                ("booking_id", models.BigIntegerField(blank=True, null=True)),
                ("subject_id", models.BigIntegerField(blank=True, null=True)),
                ("ledger_sequence", models.PositiveIntegerField(blank=True, null=True)),
                ("recipient", models.CharField(blank=True, max_length=254)),
                ("frozen_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("obsolete", "Not sent, no longer true"),
                            ("suppressed", "Not sent, too many asked for"),
                            ("dead", "Given up"),
                            ("unknown", "Perhaps sent"),
                            ("discarded", "Discarded"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("not_before", models.DateTimeField()),
                ("next_attempt_at", models.DateTimeField()),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("fence", models.PositiveIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=300)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("blanked_at", models.DateTimeField(blank=True, null=True)),
                ("correlation_id", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField()),
                ("may_have_left", models.BooleanField(db_default=False, default=False)),
                ("is_snoozed", models.BooleanField(db_default=False, default=False)),
                ("mailbox", models.CharField(blank=True, db_default="", max_length=254)),
                ("hand_overs", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("context", backend.core.encryption.EncryptedJSONField(blank=True, null=True, row_id="uuid")),
                (
                    "delivery",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("deferred", "Deferred"),
                            ("delivered", "Delivered"),
                            ("bounced", "Bounced"),
                            ("complained", "Reported as spam"),
                        ],
                        db_default="",
                        max_length=16,
                    ),
                ),
                ("delivery_at", models.DateTimeField(blank=True, null=True)),
                ("provider_message_id", models.CharField(blank=True, db_default="", max_length=200)),
                (
                    "handed_to",
                    models.CharField(
                        blank=True,
                        choices=[("", "EMAIL_PROVIDER"), ("fallback", "EMAIL_FALLBACK_HOST")],
                        db_default="",
                        default="",
                        max_length=8,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["queue", "next_attempt_at"],
                        name="message_claim",
                    ),
                    models.Index(fields=["booking_id", "id"], name="message_booking"),
                    models.Index(condition=models.Q(("blanked_at", None)), fields=["settled_at"], name="message_blank"),
                    models.Index(fields=["mailbox", "created_at"], name="message_mailbox"),
                    models.Index(
                        condition=models.Q(("state__in", ("dead", "unknown"))),
                        fields=["queue", "id"],
                        name="message_given_up",
                    ),
                    models.Index(
                        condition=models.Q(("blanked_at", None), ("kind", "erasure_done")),
                        fields=["settled_at"],
                        name="message_answer",
                    ),
                    models.Index(
                        condition=models.Q(("provider_message_id", ""), _negated=True),
                        fields=["provider_message_id"],
                        name="message_provider_id",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PausedQueue",
            fields=[
                (
                    "queue",
                    models.CharField(
                        choices=[("mail", "Mail"), ("payments", "Payments"), ("calls", "Calls")],
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("paused_by", models.CharField(max_length=80)),
                ("reason", models.CharField(max_length=300)),
                ("paused_at", models.DateTimeField()),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Part",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("kind", models.CharField(max_length=48)),
                ("booking_id", models.BigIntegerField()),
                ("ledger_sequence", models.PositiveIntegerField()),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="outbox.message"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["booking_id"], name="part_booking")],
            },
        ),
        migrations.CreateModel(
            name="ClosedMailbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mailbox", models.CharField(max_length=254, unique=True)),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("deferred", "Deferred"),
                            ("delivered", "Delivered"),
                            ("bounced", "Bounced"),
                            ("complained", "Reported as spam"),
                        ],
                        max_length=16,
                    ),
                ),
                ("since", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "closed mailboxes",
                "indexes": [models.Index(fields=["since"], name="closed_mailbox_since")],
            },
        ),
        migrations.CreateModel(
            name="OutletState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "outlet",
                    models.CharField(
                        blank=True,
                        choices=[("", "EMAIL_PROVIDER"), ("fallback", "EMAIL_FALLBACK_HOST")],
                        max_length=8,
                        unique=True,
                    ),
                ),
                ("refused_since", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("probe_at", models.DateTimeField(blank=True, null=True)),
                ("next_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
    ]
