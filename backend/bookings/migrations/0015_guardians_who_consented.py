from django.db import migrations, models

import backend.core.encryption


class Migration(migrations.Migration):
    dependencies = [("bookings", "0014_requests_about_data")]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="guardian_name",
            field=backend.core.encryption.EncryptedTextField(
                blank=True, db_default="", default="", max_length=120, row_id="acknowledgement_id"
            ),
        ),
        migrations.AddField(
            model_name="booking",
            name="guardian_proof",
            field=models.CharField(
                blank=True,
                choices=[
                    ("document", "An identity document was shown"),
                    ("token", "By a Digital Locker or another token of the state"),
                    ("known", "The practice knows them already"),
                    ("spoken", "We called them and asked"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
    ]
