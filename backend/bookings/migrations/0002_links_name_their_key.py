"""A link names the key that signed it by the key's id, no longer by its place in TOKEN_KEY.

Which key signed a stored link is not believed but tried: with the right one its token has the stored digest, in
whatever order the ring stands by now. A link that no key of the ring signed names none.
"""

import base64
import hashlib
import hmac

from django.conf import settings
from django.db import migrations, models

AT_ONCE = 1000


def _id(secret):
    return hashlib.sha256(f"TOKEN_KEY\0{secret}".encode()).hexdigest()[:8]


def _signed(link, secret):
    name = f"alternative:{link.alternative.number}" if link.alternative_id else link.purpose
    mac = hmac.new(secret.encode(), name.encode() + b"\0" + link.message_uuid.bytes, hashlib.sha256).digest()
    token = base64.urlsafe_b64encode(mac).rstrip(b"=")
    return hashlib.sha256(token).hexdigest() == link.digest


def name_keys(apps, schema_editor):
    links = apps.get_model("bookings", "Link").objects.using(schema_editor.connection.alias).order_by("pk")
    last = 0
    while chunk := list(links.filter(pk__gt=last).select_related("alternative")[:AT_ONCE]):
        last = chunk[-1].pk
        for link in chunk:
            link.key_id = next((_id(secret) for secret in settings.TOKEN_KEY if _signed(link, secret)), "")
        links.bulk_update(chunk, ["key_id"], batch_size=AT_ONCE)


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0001_bookings_links_and_slot_claims"),
    ]

    operations = [
        migrations.AddField("link", "key_id", models.CharField(default="", max_length=8), preserve_default=False),
        migrations.RunPython(name_keys, migrations.RunPython.noop),
        migrations.RemoveField("link", "key_index"),
    ]
