from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("api", "0001_initial"),
        ("api", "0001_lookup_misses"),
        ("api", "0002_refused_log_ins"),
    ]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LookupMiss",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("client", models.CharField(max_length=45)),
                ("hour", models.DateTimeField()),
                ("count", models.PositiveIntegerField(default=0)),
                ("refused", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "indexes": [models.Index(fields=["hour"], name="lookup_miss_hour")],
                "constraints": [models.UniqueConstraint(fields=("client", "hour"), name="lookup_miss_once")],
            },
        ),
    ]
