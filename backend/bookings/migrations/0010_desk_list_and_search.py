"""Indexes of the desk's list and search.

PostgreSQL finds words by their trigrams; pg_trgm is a trusted extension since version 13, so the database's owner may
create it. The expressions are those that Django writes for `icontains`. SQLite reads `booking_search` whole.
"""

from django.db import migrations, models

CREATE = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX booking_words ON bookings_booking USING gin (
    UPPER(full_name::text) gin_trgm_ops, UPPER(email::text) gin_trgm_ops, UPPER(phone_number::text) gin_trgm_ops
);
"""
DROP = "DROP INDEX IF EXISTS booking_words"


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0009_messages_read"),
        ("people", "0005_roles"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["psychologist", "-id"], name="booking_psychologist"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("is_priority", True), ("state", "PENDING")), fields=["-id"], name="booking_again"
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["preferred_date"], name="booking_preferred"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["full_name", "email", "phone_number"], name="booking_search"),
        ),
        migrations.RunPython(create, drop),
    ]
