import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("payments", "0001_initial"), ("payments", "0002_find_events_of_a_payment")]

    initial = True

    dependencies = [
        ("bookings", "0001_bookings_links_and_slot_claims"),
    ]

    operations = [
        migrations.CreateModel(
            name="InboxEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=80)),
                ("kind", models.CharField(max_length=40)),
                ("payment_reference", models.CharField(blank=True, max_length=40)),
                ("result", models.CharField(blank=True, max_length=40)),
                ("correlation_id", models.CharField(blank=True, max_length=64)),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [models.UniqueConstraint(fields=("gateway", "event_id"), name="inbox_event_once")],
                "indexes": [models.Index(fields=["payment_reference"], name="inbox_payment")],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=40, unique=True)),
                (
                    "method",
                    models.CharField(
                        choices=[("online", "Online"), ("desk", "At the desk")], default="online", max_length=16
                    ),
                ),
                ("gateway", models.CharField(blank=True, max_length=20)),
                ("gateway_order_id", models.CharField(blank=True, max_length=80)),
                ("capture_id", models.CharField(blank=True, max_length=80)),
                ("amount_paise", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("failed", "Failed"), ("idle", "Idle"), ("captured", "Captured")],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("captured_paise", models.PositiveIntegerField(default=0)),
                ("captured_currency", models.CharField(blank=True, max_length=3)),
                ("is_unexpected", models.BooleanField(default=False)),
                ("asked", models.PositiveSmallIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                ("captured_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="bookings.booking"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("booking",), name="one_open_attempt_per_booking"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("gateway_refund_id", models.CharField(blank=True, max_length=80)),
                ("amount_paise", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=40)),
                ("actor", models.CharField(max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Queued"), ("done", "Done"), ("refused", "Refused")],
                        default="queued",
                        max_length=16,
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.payment"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_paise__gt", 0)), name="refund_is_positive")
                ],
            },
        ),
    ]
