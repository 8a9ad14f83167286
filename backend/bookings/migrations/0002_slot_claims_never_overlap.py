"""The last net under slot claims: on PostgreSQL two claims of one psychologist cannot overlap.

SQLite has no exclusion constraints; there the check runs in an IMMEDIATE transaction, alone with the write lock.
btree_gist is a trusted extension since PostgreSQL 13, so the database's owner may create it.
"""

from django.db import migrations

CREATE = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE bookings_slotclaim ADD CONSTRAINT slot_claims_never_overlap
EXCLUDE USING gist (psychologist_id WITH =, tstzrange(blocked_from, blocked_until, '[)') WITH &&);
"""
DROP = "ALTER TABLE bookings_slotclaim DROP CONSTRAINT IF EXISTS slot_claims_never_overlap"


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("bookings", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
