from functools import partial

from django.db import migrations

from backend.core import unbound_texts as texts

READ = {
    "user_message": (texts.read_token, texts.make_token),
    "emergency_contact": (texts.as_it_is, texts.as_it_is),
    "note_to_visitor": (texts.as_it_is, texts.as_it_is),
    "refund_note": (texts.as_it_is, texts.as_it_is),
}


def bind(apps, schema_editor):
    booking, using = apps.get_model("bookings", "Booking"), texts.alias_of(schema_editor)
    texts.bind_all(partial(texts.bind, booking, f"unbound_{name}", name, READ[name][0], using=using) for name in READ)


def unbind(apps, schema_editor):
    booking, using = apps.get_model("bookings", "Booking"), texts.alias_of(schema_editor)
    for name, (_, make) in READ.items():
        texts.unbind(booking, f"unbound_{name}", name, make, using=using)


class Migration(migrations.Migration):
    atomic = False  # some hundred rows a transaction: stopped in the middle, it goes on from there

    dependencies = [("bookings", "0007_texts_beside_the_old")]

    operations = [migrations.RunPython(bind, unbind)]
