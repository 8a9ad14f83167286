from django.db import migrations

TEXTS = ("user_message", "emergency_contact", "note_to_visitor", "refund_note")


class Migration(migrations.Migration):
    dependencies = [("bookings", "0008_texts_bound_to_their_row")]

    operations = [migrations.RemoveField("booking", f"unbound_{name}") for name in TEXTS]
