from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("outbox", "0008_words_bound_to_their_row")]

    operations = [migrations.RemoveField("message", "unbound_context")]
