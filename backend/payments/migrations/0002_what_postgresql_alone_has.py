from django.db import migrations

from backend.core.postgresql_operations import OnPostgreSQL


class Migration(migrations.Migration):
    replaces = [
        ("payments", "0016_indexes_that_nothing_asked"),
    ]

    dependencies = [("payments", "0001_payments_refunds_and_receipts")]

    operations = [
        # nobody asks for references that begin with something
        OnPostgreSQL(
            "DROP INDEX IF EXISTS payments_payment_reference_1d502039_like",
            "DROP INDEX IF EXISTS payments_refund_reference_0209ea94_like",
        ),
    ]
