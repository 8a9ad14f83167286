"""Room for a mail's words that are bound to their row. Every process stops for these three."""

from django.db import migrations

from backend.core.encryption import EncryptedJSONField


class Migration(migrations.Migration):
    dependencies = [("outbox", "0006_messages_about_several_bookings")]

    operations = [
        migrations.RenameField("message", "context", "unbound_context"),
        migrations.AddField("message", "context", EncryptedJSONField(blank=True, null=True, row_id="uuid")),
    ]
