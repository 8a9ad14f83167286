from django.db import migrations, models

from backend.core.postgresql_operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0003_language_of_receipts")]

    operations = [
        AddIndexConcurrently("payment", models.Index(fields=["started_at"], name="payment_started")),
        AddIndexConcurrently(
            "payment",
            models.Index(fields=["captured_at"], condition=models.Q(is_unexpected=True), name="payment_unexpected"),
        ),
    ]
