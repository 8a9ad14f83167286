from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0007_disclosures_and_permissions"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("slot_start__isnull", False)), fields=["slot_start"], name="booking_slot"
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("verified_at__isnull", False)), fields=["verified_at"], name="booking_verified"
            ),
        ),
    ]
