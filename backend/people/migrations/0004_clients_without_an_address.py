from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0003_phone_numbers_as_e164")]

    operations = [
        migrations.AlterField("client", "email", models.EmailField(blank=True, max_length=254)),
        migrations.AlterField("historicalclient", "email", models.EmailField(blank=True, max_length=254)),
        migrations.RemoveConstraint("client", "client_email_unique"),
        migrations.AddConstraint(
            "client",
            models.UniqueConstraint(condition=~models.Q(email=""), fields=["email"], name="client_address_unique"),
        ),
    ]
