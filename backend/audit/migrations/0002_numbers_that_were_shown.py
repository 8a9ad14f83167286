"""Telephone numbers that were shown had a table of their own; it is part of the access log, for other readers."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

READERS = {"Auditor": "audit.view_accessrecord"}  # an owner sees everything; a receptionist not who read what


def copy(apps, schema_editor):
    records, using = apps.get_model("audit", "AccessRecord").objects, schema_editor.connection.alias
    rows = apps.get_model("bookings", "Disclosure").objects.using(using).order_by("pk").iterator()
    for row in rows:
        shown = f"booking.emergency_contact {row.booking_id} ;booking.phone_number {row.booking_id} ;"
        records.using(using).create(
            at=row.at,
            actor=row.actor,
            kind="revealed",
            page="admin:bookings_booking_reveal_phone",
            shown=shown,
            subject="booking",
            subject_id=row.booking_id,
            correlation_id=row.correlation_id,
        )
    _give_to_readers(apps, using)


def _give_to_readers(apps, using):
    config = apps.get_app_config("audit")
    config.models_module = True  # what the states of migrations leave out, and the function asks for
    create_permissions(config, apps=apps, verbosity=0, using=using)
    config.models_module = None
    give(apps)
    apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="bookings", content_type__model="disclosure"
    ).delete()


def give(apps):
    group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, label in READERS.items():
        app, codename = label.split(".")
        permission = permission_model.objects.get(content_type__app_label=app, codename=codename)
        for group in group_model.objects.filter(name=name):
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_access_records"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("bookings", "0009_unbound_texts_gone"),
        ("people", "0002_roles"),
    ]

    operations = [migrations.RunPython(copy, migrations.RunPython.noop)]
