"""A refund that the gateway calls pending for days becomes a task for staff."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_payments_refunds_and_inbox"),
    ]

    operations = [
        migrations.AlterField(
            model_name="refund",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("unfinished", "Not finished by the gateway"),
                    ("done", "Done"),
                    ("refused", "Refused"),
                ],
                default="queued",
                max_length=16,
            ),
        ),
    ]
