from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_numbers_that_were_shown"),
        ("bookings", "0009_unbound_texts_gone"),
    ]

    operations = [migrations.DeleteModel("Disclosure")]
