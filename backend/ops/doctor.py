"""The configuration as an operator should have it: what is legal, but not for a practice that takes real bookings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.db import connection

from backend.bookings import links
from backend.core import database_timeouts, environment, keyring
from backend.core.encryption import encrypted_columns
from backend.core.keyring import KeyRing
from backend.ops.findings import Finding, Level
from backend.rooms import adapters as rooms
from backend.rooms import checks as rooms_checks

TEXTS_LOOKED_AT = 1000  # of each column; `encrypt_again` reads them all


def configuration() -> tuple[Finding, ...]:
    """Findings about the settings of this process; no I/O."""
    if settings.DEBUG:
        debug = _warn("debug", "DEBUG is on.", "Unset DEBUG; a page of an error shows settings and data to strangers.")
        return (*_misspelt(), debug)
    return (*_misspelt(), *_production())


def _misspelt() -> Iterator[Finding]:
    """Of the process's own environment; other programs put names there too, so that nothing is refused for it."""
    for name, meant in environment.misspelt(os.environ).items():
        yield _warn("environment", f"{name} is set and nobody reads it.", f"Set {meant} if that was meant.")


def _production() -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        text = "The database is SQLite: one machine, one writer."
        yield _warn("database", text, "Give DATABASE_URL, a PostgreSQL 15 or newer.")
    if settings.CELERY_BROKER_URL.startswith("redis+socket://") and not settings.REDIS_URL:
        yield _warn("broker", "REDIS_URL is not set.", "Give REDIS_URL; outside `make run` nobody starts a broker.")
    if not settings.PUBLIC_URL.startswith("https://"):
        yield _warn("transport", "PUBLIC_URL is not https.", "Set PUBLIC_URL to the https address visitors use.")
    elif not settings.TRUSTED_PROXIES:
        text = "TRUSTED_PROXIES is 0: every visitor seems to come from the proxy that ends TLS."
        yield _warn("transport", text, "Set TRUSTED_PROXIES to the number of proxies in front.")
    if settings.EMAIL_BACKEND.endswith(("filebased.EmailBackend", "console.EmailBackend")):
        text = "Mails go to files or to the terminal, not to people."
        yield _warn("mail", text, "Set EMAIL_HOST, or EMAIL_PROVIDER and EMAIL_API_KEY.")
    if "localhost" in settings.DEFAULT_FROM_EMAIL:
        yield _warn("mail", "FROM_EMAIL is a localhost address.", "Set FROM_EMAIL to an address of your domain.")
    if "localhost" in settings.STAFF_INBOX:
        yield _warn("mail", "STAFF_INBOX is a localhost address.", "Set STAFF_INBOX to where the desk reads.")
    if not settings.PAYMENT_GATEWAY and not settings.IS_WITHOUT_GATEWAY:
        yield _warn("payments", "Online payment is off.", "Set PAYMENT_GATEWAY; to `none` if none is meant.")
    elif settings.PAYMENT_GATEWAY == "sandbox":
        yield _warn("payments", "The sandbox gateway moves no real money.", "Set PAYMENT_GATEWAY to a real one.")
    if rooms.are_shared():
        yield _warn("rooms", rooms_checks.SHARED, rooms_checks.ADVICE)
    if settings.ALLOW_SANDBOX_PAYMENTS:
        text = "The sandbox gateway and keys of tests are admitted: who pays with them gives no real money."
        yield _warn("payments", text, "Take ALLOW_SANDBOX_PAYMENTS away, but on a staging machine.")


def limits() -> tuple[Finding, ...]:
    """Limits of waits that this process should have and its connection has not. One query."""
    found = []
    for name, given in database_timeouts.in_force(list(settings.DATABASE_LIMITS)).items():
        limit = settings.DATABASE_LIMITS[name]
        if given != limit:
            text = f"{name} on the connection is {_span(given)}, and should be {_span(limit)}."
            found.append(Finding(Level.DEGRADED, "database", text, _advice_on(name, limit)))
    return tuple(found)


def _advice_on(name: str, limit: timedelta) -> str:
    if settings.DATABASE_LIMITS_BY == "role":
        role = connection.settings_dict["USER"]
        return f"Run ALTER ROLE {role} SET {name} = '{_span(limit)}'; then restart the pooler."
    return "Something between drops the connection's options: set DATABASE_LIMITS_BY=role, see docs/operations."


def _span(limit: timedelta) -> str:
    return f"{limit // timedelta(milliseconds=1)}ms" if limit else "off"


def keys() -> tuple[Finding, ...]:
    """Keys of mailed links that waiting mails lack, and older ones that no mail needs any more. One query."""
    ring, waiting = keyring.ring(links.RING), links.mails_waiting_by_key()
    return tuple(filter(None, (_key(key_id, mails, ring, waiting) for key_id, mails in waiting.items())))


def _key(key_id: str, mails: int, ring: KeyRing, waiting: Mapping[str, int]) -> Finding | None:
    key = ring.find(key_id)
    if key is None and mails:
        text = f"Mails that cannot be sent, their key {key_id or '(unknown)'} is not in {ring.name}: {mails}."
        return Finding(Level.DEGRADED, "keys", text, "Put the key back, behind the newest, and re-drive what is dead.")
    if key not in (None, ring.newest) and not mails and ring.newest.id in waiting:  # the newest is in use already
        text = f"No waiting mail needs key {key_id} of {ring.name} any more."
        return _warn("keys", text, "Take it away, as docs/operations says under “Rotate every secret”.")
    return None


def texts() -> tuple[Finding, ...]:
    """Encrypted texts that do not open, of the newest: a key was taken away too early, or a row broke or was moved."""
    found = []
    for model, field in encrypted_columns():
        newest = field.rows().order_by("-pk")[:TEXTS_LOOKED_AT]
        broken = sum(not field.is_readable(row, getattr(row, "stored", "")) for row in newest)
        if broken:
            text = f"Texts of {model._meta.label}.{field.name} that cannot be read: {broken}."
            found.append(Finding(Level.DEGRADED, "keys", text, "Put the missing key of FIELD_KEY back, or the row."))
    return tuple(found)


def schedule() -> tuple[Finding, ...]:
    """What the installed schedule lacks, or has switched off, of the release's table. One query."""
    entries = apps.get_model("django_celery_beat", "PeriodicTask").objects.values_list("name", "enabled")
    installed = dict(entries)
    found = []
    for name in settings.BEAT_TABLE:
        if name not in installed:
            text = f"The schedule lacks “{name}”."
            found.append(Finding(Level.DEGRADED, "schedule", text, "Run `python manage.py release`."))
        elif not installed[name]:
            text = f"“{name}” is switched off in the schedule."
            found.append(_warn("schedule", text, "Enable it among the periodic tasks."))
    return tuple(found)


def _warn(component: str, text: str, advice: str) -> Finding:
    return Finding(Level.WARNING, component, text, advice)
