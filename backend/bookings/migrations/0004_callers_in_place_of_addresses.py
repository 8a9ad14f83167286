"""Of addresses bookings are asked for the empty one alone, of who rang: a person's are found by their client."""

from django.db import migrations, models

from backend.core.postgresql_operations import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("bookings", "0003_by_which_channel_a_request_is_reminded")]

    operations = [
        AddIndexConcurrently(
            "booking", models.Index(fields=["-id"], condition=models.Q(email=""), name="booking_caller")
        ),
        RemoveIndexConcurrently("booking", "booking_email"),
    ]
