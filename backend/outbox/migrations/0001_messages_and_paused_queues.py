import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("outbox", "0001_initial"), ("outbox", "0002_discarded_rows_and_paused_queues")]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("queue", models.CharField(choices=[("mail", "Mail"), ("payments", "Payments")], max_length=16)),
                ("kind", models.CharField(max_length=48)),
                ("dedupe_key", models.CharField(max_length=120, unique=True)),
                ("booking_id", models.BigIntegerField(blank=True, null=True)),
                ("subject_id", models.BigIntegerField(blank=True, null=True)),
                ("ledger_sequence", models.PositiveIntegerField(blank=True, null=True)),
                ("recipient", models.CharField(blank=True, max_length=254)),
                ("context", models.JSONField(blank=True, null=True)),
                ("frozen_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("obsolete", "Obsolete"),
                            ("suppressed", "Suppressed"),
                            ("dead", "Dead"),
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
                    models.Index(fields=["recipient", "created_at"], name="message_recipient"),
                    models.Index(condition=models.Q(("blanked_at", None)), fields=["settled_at"], name="message_blank"),
                    models.Index(condition=models.Q(("state", "dead")), fields=["queue", "id"], name="message_dead"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PausedQueue",
            fields=[
                (
                    "queue",
                    models.CharField(
                        choices=[("mail", "Mail"), ("payments", "Payments")],
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("paused_by", models.CharField(max_length=80)),
                ("reason", models.CharField(max_length=300)),
                ("paused_at", models.DateTimeField()),
            ],
        ),
    ]
