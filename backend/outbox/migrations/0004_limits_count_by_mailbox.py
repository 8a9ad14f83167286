"""The limits on mail that strangers cause count by mailbox; rows from before count for no mailbox, for one day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("outbox", "0003_words_that_staff_read"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="message",
            name="message_recipient",
        ),
        migrations.AddField(
            model_name="message",
            name="mailbox",
            field=models.CharField(blank=True, db_default="", max_length=254),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["mailbox", "created_at"], name="message_mailbox"),
        ),
    ]
