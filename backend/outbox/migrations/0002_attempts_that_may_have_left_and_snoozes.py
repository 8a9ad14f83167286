"""An attempt may have left or surely did not; an effect may say "not yet"."""

from django.db import migrations, models


def begun_rows_may_have_left(apps, _schema_editor):
    """Nobody knows of the attempts before this column: they may have."""
    apps.get_model("outbox", "Message").objects.filter(attempts__gt=0).update(may_have_left=True)


class Migration(migrations.Migration):
    dependencies = [
        ("outbox", "0001_messages_and_paused_queues"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="may_have_left",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="message",
            name="is_snoozed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunPython(begun_rows_may_have_left, migrations.RunPython.noop),
    ]
