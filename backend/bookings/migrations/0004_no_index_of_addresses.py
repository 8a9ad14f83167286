"""Nobody asks bookings for an address: a person's are found by their client, and staff's search has its own index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("bookings", "0003_by_which_channel_a_request_is_reminded")]

    operations = [migrations.RemoveIndex("booking", "booking_email")]
