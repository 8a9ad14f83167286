from django.db import migrations

from backend.core import unbound_texts as texts


def bind(apps, schema_editor):
    message, using = apps.get_model("outbox", "Message"), texts.alias_of(schema_editor)
    texts.bind(message, "unbound_context", "context", texts.as_it_is, using=using, empty=None)


def unbind(apps, schema_editor):
    message, using = apps.get_model("outbox", "Message"), texts.alias_of(schema_editor)
    texts.unbind(message, "unbound_context", "context", texts.as_it_is, using=using)


class Migration(migrations.Migration):
    atomic = False  # some hundred rows a transaction: stopped in the middle, it goes on from there

    dependencies = [("outbox", "0007_words_beside_the_old")]

    operations = [migrations.RunPython(bind, unbind)]
