import django.db.models.deletion
from django.db import migrations, models

import backend.core.encryption
import backend.rooms.models


class Migration(migrations.Migration):
    replaces = [
        ("rooms", "0001_rooms_of_sessions"),
        ("rooms", "0002_rooms_that_are_asked_for"),
    ]

    initial = True

    dependencies = [
        ("bookings", "0001_bookings_ledger_links_and_data_requests"),
        ("people", "0001_clients_psychologists_and_hours"),
    ]

    operations = [
        migrations.CreateModel(
            name="Room",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(default=backend.rooms.models.drawn_name, max_length=64, unique=True)),
                ("opens_at", models.DateTimeField()),
                ("closes_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rooms", to="bookings.booking"
                    ),
                ),
                (
                    "address",
                    backend.core.encryption.EncryptedTextField(
                        blank=True, db_default="", max_length=500, row_id="name"
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("made_at", models.DateTimeField(blank=True, null=True)),
                ("provider_id", models.CharField(blank=True, db_default="", max_length=64)),
                (
                    "psychologist",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.psychologist",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("closes_at__gt", models.F("opens_at"))), name="room_closes_after_it_opens"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)), fields=("booking",), name="room_one_a_booking"
                    ),
                ],
            },
        ),
    ]
