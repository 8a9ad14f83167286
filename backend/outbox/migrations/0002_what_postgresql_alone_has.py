from django.db import migrations

from backend.core.postgresql_operations import OnPostgreSQL


class Migration(migrations.Migration):
    replaces = [
        ("outbox", "0011_a_table_that_stays_flat"),
    ]

    dependencies = [("outbox", "0001_messages_parts_and_mailboxes")]

    operations = [
        # nobody asks for keys that begin with something, and it is as large as the one that is asked
        OnPostgreSQL("DROP INDEX IF EXISTS outbox_message_dedupe_key_6013dd5c_like"),
        # a message is written to three times: room on its page for two, and cleared away at a twentieth, not a fifth
        OnPostgreSQL(
            "ALTER TABLE outbox_message SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05,"
            " autovacuum_vacuum_threshold = 500, autovacuum_analyze_scale_factor = 0.05)"
        ),
    ]
