from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("ops", "0001_signs_of_life_and_acts"), ("ops", "0002_runs_say_their_trace")]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Act",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=80)),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("redrive", "Re-drove a dead letter"),
                            ("discard", "Discarded a dead letter"),
                            ("release", "Released a lease"),
                            ("run_timer", "Asked for a run of a timer"),
                            ("pause", "Paused a queue"),
                            ("resume", "Resumed a queue"),
                        ],
                        max_length=16,
                    ),
                ),
                ("subject", models.CharField(max_length=80)),
                ("message_id", models.BigIntegerField(null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name": "act of an operator",
                "verbose_name_plural": "acts of operators",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Canary",
            fields=[
                (
                    "queue",
                    models.CharField(
                        choices=[("mail", "Mail"), ("payments", "Payments"), ("timers", "Timers"), ("beat", "Beat")],
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sent_at", models.DateTimeField(null=True)),
                ("arrived_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "canaries",
                "ordering": ["queue"],
            },
        ),
        migrations.CreateModel(
            name="Process",
            fields=[
                ("name", models.CharField(max_length=120, primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[("mail", "Mail"), ("payments", "Payments"), ("timers", "Timers"), ("beat", "Beat")],
                        max_length=16,
                    ),
                ),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "processes",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Timer",
            fields=[
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("examined", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=80)),
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("asked_at", models.DateTimeField(null=True)),
                ("asked_by", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="TimerRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("examined", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=80)),
                ("timer", models.CharField(max_length=60)),
                ("asked_by", models.CharField(blank=True, max_length=80)),
                ("correlation_id", models.CharField(blank=True, db_default="", default="", max_length=64)),
            ],
            options={
                "verbose_name": "run of a timer",
                "verbose_name_plural": "runs of timers",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["timer", "-id"], name="timerrun_timer"),
                    models.Index(fields=["started_at"], name="timerrun_started"),
                ],
            },
        ),
    ]
