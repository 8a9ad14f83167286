from django.db import migrations

from backend.people import stored_phones

TABLES = ("Client", "HistoricalClient")


def to_e164(apps, schema_editor):
    for table in TABLES:
        stored_phones.to_e164(apps.get_model("people", table).objects.all())


def to_ten_digits(apps, schema_editor):
    for table in TABLES:
        stored_phones.to_ten_digits(apps.get_model("people", table).objects.all())


class Migration(migrations.Migration):
    dependencies = [("people", "0002_roles")]

    operations = [migrations.RunPython(to_e164, to_ten_digits)]
