"""Room for texts that are bound to their row, beside those that are not. Every process stops for these three."""

from django.db import migrations, models

from backend.core.encryption import EncryptedTextField
from backend.core.unbound_texts import UnboundTextField


def beside(model, name, **options):
    return [
        migrations.RenameField(model, name, f"unbound_{name}"),
        migrations.AddField(model, name, EncryptedTextField(default="", row_id="stable_id", **options)),
        migrations.AddField(model, "stable_id", models.UUIDField(null=True)),
    ]


class Migration(migrations.Migration):
    dependencies = [("people", "0004_clients_without_an_address")]

    operations = [
        *beside("client", "emergency_contact", blank=True, max_length=120),
        *beside("historicalclient", "emergency_contact", blank=True, max_length=120),
        *beside("enquiry", "text"),
        migrations.AlterField("enquiry", "unbound_text", UnboundTextField(blank=True, default="")),
    ]
