from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("audit", "0001_access_records"),
        ("audit", "0002_numbers_that_were_shown"),
        ("audit", "0003_failed_log_ins"),
        ("audit", "0004_second_steps_that_failed"),
        ("audit", "0005_tokens_that_read"),
    ]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AccessRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=80)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("searched", "Searched"),
                            ("exported", "Exported"),
                            ("revealed", "Telephone number shown"),
                            ("logged_in", "Logged in"),
                            ("login_failed", "Log-in failed"),
                            ("logins_stopped", "Log-ins stopped for this hour"),
                            ("factor_refused", "Second step failed"),
                            ("rights_changed", "Rights changed"),
                        ],
                        max_length=16,
                    ),
                ),
                ("page", models.CharField(blank=True, max_length=100)),
                ("shown", models.TextField(blank=True)),
                ("subject", models.CharField(blank=True, max_length=32)),
                ("subject_id", models.BigIntegerField(blank=True, null=True)),
                ("correlation_id", models.CharField(blank=True, max_length=64)),
                ("token_id", models.BigIntegerField(blank=True, null=True)),
                ("token_name", models.CharField(blank=True, db_default="", default="", max_length=80)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("subject_id__isnull", False)),
                        fields=["subject", "subject_id"],
                        name="access_subject",
                    ),
                    models.Index(fields=["at"], name="access_at"),
                ],
            },
        ),
    ]
