"""What PostgreSQL alone has of bookings; after 0001, for an index stands only when its migration is over.

There two claims of one psychologist cannot overlap, the last net under slot claims. SQLite has no exclusion constraints;
the check runs in an IMMEDIATE transaction there, alone with the write lock. The desk's search finds words by their
trigrams, in the expressions that Django writes for `icontains`; SQLite reads `booking_search` whole. Both extensions are
trusted since PostgreSQL 13, so the database's owner may create them. The ledger's triggers are no migration's:
`ledger_triggers` installs them after every one.
"""

from django.db import migrations

from backend.core.postgresql_operations import OnPostgreSQL


class Migration(migrations.Migration):
    replaces = [
        ("bookings", "0002_slot_claims_never_overlap"),
        ("bookings", "0006_indexes_that_nothing_asked"),
        ("bookings", "0021_indexes_that_others_cover"),
    ]

    dependencies = [("bookings", "0001_bookings_ledger_links_and_data_requests")]

    operations = [
        OnPostgreSQL(
            "CREATE EXTENSION IF NOT EXISTS btree_gist",
            "ALTER TABLE bookings_slotclaim ADD CONSTRAINT slot_claims_never_overlap EXCLUDE USING gist"
            " (psychologist_id WITH =, tstzrange(blocked_from, blocked_until, '[)') WITH &&)",
        ),
        OnPostgreSQL(
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "CREATE INDEX booking_words ON bookings_booking USING gin (UPPER(full_name::text) gin_trgm_ops,"
            " UPPER(email::text) gin_trgm_ops, UPPER(phone_number::text) gin_trgm_ops)",
            "DROP INDEX IF EXISTS booking_search",
        ),
        # nobody asks for ids or digests that begin with something
        OnPostgreSQL(
            "DROP INDEX IF EXISTS bookings_booking_acknowledgement_id_b6a2c7c6_like",
            "DROP INDEX IF EXISTS bookings_link_digest_7cb374c8_like",
        ),
        # each step of a life leaves a dead row, so a fifth of the table is too many to wait for
        OnPostgreSQL(
            "ALTER TABLE bookings_booking SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500)",
            "ALTER TABLE bookings_link SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500)",
        ),
    ]
