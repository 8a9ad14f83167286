from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0002_what_postgresql_alone_has"),
    ]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="reminders_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
    ]
