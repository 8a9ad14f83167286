"""The desk's search among clients, in the expressions that Django writes for `icontains`; on SQLite it reads them all.

`booking_words` has made the extension, if bookings were migrated before; whoever comes first makes it.
"""

from django.db import migrations

from backend.core.postgresql_operations import OnPostgreSQL


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("people", "0002_groups_of_roles")]

    operations = [
        OnPostgreSQL(
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "DROP INDEX CONCURRENTLY IF EXISTS client_words",
            "CREATE INDEX CONCURRENTLY client_words ON people_client USING gin (UPPER(full_name::text) gin_trgm_ops,"
            " UPPER(email::text) gin_trgm_ops, UPPER(phone_number::text) gin_trgm_ops)",
        ),
    ]
