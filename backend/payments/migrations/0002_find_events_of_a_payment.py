"""A booking's page tells what the gateway called to say about its payments."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="inboxevent",
            index=models.Index(fields=["payment_reference"], name="inbox_payment"),
        ),
    ]
