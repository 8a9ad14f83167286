from django.db import migrations

from backend.people import stored_phones


def to_e164(apps, schema_editor):
    stored_phones.to_e164(apps.get_model("bookings", "Booking").objects.order_by())


def to_ten_digits(apps, schema_editor):
    stored_phones.to_ten_digits(apps.get_model("bookings", "Booking").objects.order_by())


class Migration(migrations.Migration):
    dependencies = [("bookings", "0002_links_name_their_key")]

    operations = [migrations.RunPython(to_e164, to_ten_digits)]
