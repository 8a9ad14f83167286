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
    return tuple(name for name, rows in _of_release() if not rows <= applied)


def half_replaced() -> tuple[str, ...]:
    """Those that replace others of which the database has applied some, not all.

    `migrate` cannot finish them: what is left to do stands in files that are gone. It may not even say so.
    """
    applied = MigrationRecorder(connection).applied_migrations().keys()  # none where there is no table yet
    return tuple(name for name, rows in _of_release() if rows & applied and not rows <= applied)


@lru_cache(maxsize=1)
def _of_release() -> tuple[tuple[str, frozenset[tuple[str, str]]], ...]:
    """Each migration's name, and the rows that a database has when it applied it.

    A migration that replaces others is applied, as `migrate` sees it, when all of them are.
    """
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    replaced = {key for migration in found.values() for key in migration.replaces}
    return tuple(
        (f"{app}.{name}", frozenset(found[app, name].replaces or [(app, name)]))
        for app, name in sorted(found.keys() - replaced)
    )
