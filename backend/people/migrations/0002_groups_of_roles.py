"""The roles, as groups. An owner may change a group afterwards: no later migration overwrites what it holds.

Permissions are made by a signal after all migrations, so those that groups need are asked for here.
"""

from django.contrib.auth.management import create_permissions
from django.db import migrations


def every(app, *models, verbs=("view",)):
    return [f"{app}.{verb}_{model}" for model in models for verb in verbs]


EDIT = ("view", "add", "change", "delete")
OWN = [
    *every("bookings", "own_booking", verbs=("view", "change")),
    "bookings.reveal_phone_number",
    *every("people", "workinghours", "timeoff"),
]
MONEY = every("payments", "payment", "refund", "inboxevent")
GRANTS = {
    "Receptionist": [
        *every("bookings", "booking", verbs=("view", "change")),
        "bookings.reveal_phone_number",
        *every("bookings", "slotclaim", "closedday"),
        *every("people", "psychologist", "workinghours", "timeoff", "location"),
        "people.add_timeoff",
    ],
    "Psychologist": OWN,
    "Duty psychologist": [*OWN, "bookings.view_unassigned_booking", "people.view_enquiry"],
    "Manager": [
        *every("bookings", "booking", verbs=("view", "change")),
        "bookings.view_phone_number",
        *every("bookings", "ledgerentry", "slotclaim"),
        *every("bookings", "closedday", verbs=EDIT),
        *every(
            "people", "psychologist", "workinghours", "timeoff", "location", "language", "specialization", "corporate",
            "sponsordomain", verbs=EDIT,
        ),
        *every("people", "client", verbs=("view", "add", "change")),
        "people.view_enquiry",
        *MONEY,
        "outbox.view_message",
    ],
    "Auditor": [
        *every("bookings", "ledgerentry"),
        *MONEY,
        "people.view_corporate",
        "ops.view_act",
        "audit.view_accessrecord",
    ],
    "Operator": [
        *every("ops", "act", verbs=("view", "add")),
        *every("ops", "process", "timerrun"),
        "outbox.view_message",
        "payments.view_inboxevent",
    ],
}  # fmt: skip


def grant(apps, schema_editor):
    for config in apps.get_app_configs():
        config.models_module = True  # what the states of migrations leave out, and the function asks for
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    make_groups(apps)


def make_groups(apps):
    """Those that are missing; an owner's changes to one that is there stay."""
    group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, labels in GRANTS.items():
        group, is_new = group_model.objects.get_or_create(name=name)
        if not is_new:
            continue
        for label in labels:
            app, codename = label.split(".")
            group.permissions.add(permission_model.objects.get(content_type__app_label=app, codename=codename))


def revoke(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=GRANTS).delete()


class Migration(migrations.Migration):
    replaces = [("people", "0005_roles"), ("people", "0002_roles")]

    dependencies = [
        ("audit", "0001_access_log"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("bookings", "0001_bookings_ledger_links_and_data_requests"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("ops", "0001_processes_timers_acts_and_incidents"),
        ("outbox", "0001_messages_parts_and_mailboxes"),
        ("payments", "0001_payments_refunds_and_receipts"),
        ("people", "0001_clients_psychologists_and_hours"),
    ]
    operations = [migrations.RunPython(grant, revoke)]
