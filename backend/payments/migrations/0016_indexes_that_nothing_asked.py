from django.db import migrations

from backend.core.postgresql_operations import OnPostgreSQL


class Migration(migrations.Migration):
    dependencies = [("payments", "0015_ids_as_long_as_a_gateway_may_make_them")]

    operations = [
        # nobody asks for references that begin with something
        OnPostgreSQL(
            "DROP INDEX IF EXISTS payments_payment_reference_1d502039_like",
            "DROP INDEX IF EXISTS payments_refund_reference_0209ea94_like",
        ),
    ]
