import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0013_links_to_own_data"),
        ("people", "0007_unbound_texts_gone"),
    ]

    operations = [
        migrations.AlterField(
            model_name="link",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("booking", "Booking"),
                    ("cancel", "Cancel"),
                    ("cancel_late", "Cancel late"),
                    ("reschedule", "Reschedule"),
                    ("alternative", "Alternative"),
                    ("again", "Request again"),
                    ("data", "Your data"),
                    ("erasure", "Erase your data"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="DataRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("correction", "Correct the data"),
                            ("withdrawal", "Withdraw the consent"),
                            ("erasure", "Erase the data"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked, not proved"),
                            ("waiting", "Waits for its day"),
                            ("done", "Done"),
                            ("stopped", "Stopped by the person"),
                            ("lapsed", "Not proved in time"),
                        ],
                        max_length=16,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("deadline", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "waits_for",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("booking", "a booking that is open"),
                            ("refund", "money that is on its way back"),
                        ],
                        max_length=16,
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="data_requests",
                        to="bookings.booking",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="data_requests",
                        to="people.client",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="data_request_due"
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None)), fields=["deadline"], name="data_request_open"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["asked", "waiting"])),
                        fields=("client",),
                        name="one_open_data_request",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at", None), ("due_at__isnull", False), ("state__in", ["asked", "waiting"])
                            ),
                            models.Q(
                                models.Q(("state__in", ["asked", "waiting"]), _negated=True),
                                ("closed_at__isnull", False),
                                ("due_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="open_data_request_is_due",
                    ),
                ],
            },
        ),
    ]
