"""Which migrations of this release the database has not seen yet."""

from __future__ import annotations

from functools import lru_cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def pending() -> tuple[str, ...]:
    """Their names, `app.migration`. One query: what the release brings is read from the files once per process."""
    table = MigrationRecorder.Migration.objects.using(connection.alias)
    applied = set(table.values_list("app", "name"))
    return tuple(f"{app}.{name}" for app, name in _of_release() if (app, name) not in applied)


@lru_cache(maxsize=1)
def _of_release() -> tuple[tuple[str, str], ...]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    squashed = {key for key, migration in loader.disk_migrations.items() if migration.replaces}
    return tuple(sorted(key for key in loader.disk_migrations if key not in squashed | replaced))
