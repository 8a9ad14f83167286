from functools import partial
from uuid import uuid4

from django.db import migrations

from backend.core import unbound_texts as texts

READ = {
    ("Client", "emergency_contact"): (texts.as_it_is, texts.as_it_is),
    ("HistoricalClient", "emergency_contact"): (texts.as_it_is, texts.as_it_is),
    ("Enquiry", "text"): (texts.read_token, texts.make_token),
}


def bind(apps, schema_editor):
    using = texts.alias_of(schema_editor)
    _give_ids(apps, using)
    texts.bind_all(
        partial(texts.bind, apps.get_model("people", model), f"unbound_{name}", name, read, using=using)
        for (model, name), (read, _) in READ.items()
    )


def _give_ids(apps, using):
    """Each row one of its own; a version has that of what it tells of."""
    for name in ("Client", "Enquiry"):
        rows = apps.get_model("people", name).objects.using(using)
        for pk in rows.filter(stable_id=None).values_list("pk", flat=True).iterator():
            rows.filter(pk=pk).update(stable_id=uuid4())
    versions = apps.get_model("people", "HistoricalClient").objects.using(using).filter(stable_id=None).order_by()
    clients = apps.get_model("people", "Client").objects.using(using)
    for pk in list(versions.values_list("id", flat=True).distinct()):
        known = clients.filter(pk=pk).values_list("stable_id", flat=True).first()
        versions.filter(id=pk).update(stable_id=known or uuid4())


def unbind(apps, schema_editor):
    using = texts.alias_of(schema_editor)
    for (model, name), (_, make) in READ.items():
        texts.unbind(apps.get_model("people", model), f"unbound_{name}", name, make, using=using)


class Migration(migrations.Migration):
    atomic = False  # some hundred rows a transaction: stopped in the middle, it goes on from there

    dependencies = [("people", "0005_texts_beside_the_old")]

    operations = [migrations.RunPython(bind, unbind)]
