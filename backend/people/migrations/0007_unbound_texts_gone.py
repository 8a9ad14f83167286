from uuid import uuid4

from django.db import migrations, models

from backend.core.encryption import EncryptedTextField


class Migration(migrations.Migration):
    dependencies = [("people", "0006_texts_bound_to_their_row")]

    operations = [
        migrations.RemoveField("client", "unbound_emergency_contact"),
        migrations.RemoveField("historicalclient", "unbound_emergency_contact"),
        migrations.RemoveField("enquiry", "unbound_text"),
        migrations.AlterField("client", "stable_id", models.UUIDField(default=uuid4, editable=False, unique=True)),
        migrations.AlterField(
            "historicalclient", "stable_id", models.UUIDField(db_index=True, default=uuid4, editable=False)
        ),
        migrations.AlterField("enquiry", "stable_id", models.UUIDField(default=uuid4, editable=False, unique=True)),
        migrations.AlterField("enquiry", "text", EncryptedTextField(row_id="stable_id")),
    ]
