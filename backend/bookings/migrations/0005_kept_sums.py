from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0004_callers_in_place_of_addresses")]

    operations = [
        migrations.CreateModel(
            name="KeptSum",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("value", models.JSONField()),
                ("counted_at", models.DateTimeField()),
            ],
            options={"ordering": ["name"]},
        ),
    ]
