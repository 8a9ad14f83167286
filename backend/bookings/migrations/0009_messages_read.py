from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0008_sessions_and_requests_by_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="message_read_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
