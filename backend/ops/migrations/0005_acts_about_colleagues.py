from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0004_resets_of_second_factors"),
    ]

    operations = [
        migrations.AlterField(
            model_name="act",
            name="verb",
            field=models.CharField(
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
    ]
