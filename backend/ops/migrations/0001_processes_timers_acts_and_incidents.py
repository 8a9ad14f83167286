from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("ops", "0001_signs_of_life_and_acts"),
        ("ops", "0002_runs_say_their_trace"),
        ("ops", "0001_processes_timers_and_acts"),
        ("ops", "0002_incidents_and_clocks"),
        ("ops", "0003_counts_that_only_grow"),
        ("ops", "0004_resets_of_second_factors"),
        ("ops", "0005_acts_about_colleagues"),
        ("ops", "0006_worker_of_calls"),
    ]

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
                            ("reset_factor", "Reset a second factor"),
                            ("invite", "Invited a colleague"),
                            ("change_role", "Changed a colleague's role"),
                            ("end_access", "Ended a colleague's access"),
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
                        choices=[
                            ("mail", "Mail"),
                            ("payments", "Payments"),
                            ("calls", "Calls"),
                            ("timers", "Timers"),
                            ("beat", "Beat"),
                        ],
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
                        choices=[
                            ("mail", "Mail"),
                            ("payments", "Payments"),
                            ("calls", "Calls"),
                            ("timers", "Timers"),
                            ("beat", "Beat"),
                        ],
                        max_length=16,
                    ),
                ),
                ("seen_at", models.DateTimeField()),
                ("clock_ahead", models.DurationField(null=True)),
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
                ("rows_changed", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("rows_failed", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("runs_failed", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("runs_succeeded", models.PositiveBigIntegerField(db_default=0, default=0)),
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
        migrations.CreateModel(
            name="QueueIncident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "queue",
                    models.CharField(
                        choices=[
                            ("mail", "Mail"),
                            ("payments", "Payments"),
                            ("calls", "Calls"),
                            ("timers", "Timers"),
                            ("beat", "Beat"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("discarded", "Discarded what was no message"),
                            ("restarted", "Ended a worker that heard nothing"),
                        ],
                        max_length=16,
                    ),
                ),
                ("count", models.PositiveBigIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["queue", "kind"],
                "constraints": [models.UniqueConstraint(fields=("queue", "kind"), name="queueincident_queue_kind")],
            },
        ),
        migrations.CreateModel(
            name="AttemptCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "queue",
                    models.CharField(
                        choices=[
                            ("mail", "Mail"),
                            ("payments", "Payments"),
                            ("calls", "Calls"),
                            ("timers", "Timers"),
                            ("beat", "Beat"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("done", "Done"),
                            ("obsolete", "No longer true"),
                            ("snoozed", "Not yet"),
                            ("failed", "Failed, tried again or given up"),
                            ("refused", "The provider refuses our account"),
                        ],
                        max_length=16,
                    ),
                ),
                ("count", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("queue", "result"), name="attemptcount_queue_result")],
            },
        ),
    ]
