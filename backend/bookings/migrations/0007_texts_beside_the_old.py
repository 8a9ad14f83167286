"""Room for texts that are bound to their row, beside those that are not. Every process stops for these three."""

from django.db import migrations

from backend.core.encryption import EncryptedTextField

TEXTS = {"user_message": None, "emergency_contact": 120, "note_to_visitor": 300, "refund_note": 300}


class Migration(migrations.Migration):
    dependencies = [("bookings", "0006_indexes_that_nothing_asked")]

    operations = [
        operation
        for name, longest in TEXTS.items()
        for operation in (
            migrations.RenameField("booking", name, f"unbound_{name}"),
            migrations.AddField(
                "booking",
                name,
                EncryptedTextField(blank=True, default="", max_length=longest, row_id="acknowledgement_id"),
            ),
        )
    ]
