from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("workers", "0001_initial")]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="InstalledDefault",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
    ]
