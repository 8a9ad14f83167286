"""A database made before the migrations were squashed goes on: nothing runs twice, and no row is lost."""

from __future__ import annotations

from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from backend.ops import pending_migrations
from tests.support import scenarios
from tests.support.database_rows import everything

# Django records the same on both
pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]
LIST = Path(__file__).with_name("applied_before_squashing.txt")
# what a database has recorded of our apps that applied everything
BEFORE = {(app, name) for app, _, name in (line.partition(".") for line in LIST.read_text().split())}
# what the first release recorded of some
OF_1_0_0 = {
    ("bookings", "0001_initial"),
    ("bookings", "0010_desk_list_and_search"),
    ("outbox", "0001_initial"),
    ("outbox", "0002_discarded_rows_and_paused_queues"),
}
REPLACED = {
    key: set(migration.replaces)
    for key, migration in MigrationLoader(None).replacements.items()
    if BEFORE.intersection(migration.replaces)
}
FIRSTS = sorted(key for key in REPLACED if key[1].startswith("0001") and len(REPLACED[key]) > 1)


def recorded() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).migration_qs.values_list("app", "name"))


def let_it_stand_at(rows: set[tuple[str, str]]) -> None:
    """A database that recorded these of what is replaced, and nothing of what replaces it."""
    for app, name in (BEFORE | REPLACED.keys()) - rows:
        MigrationRecorder(connection).record_unapplied(app, name)


def test_a_database_that_applied_all_that_is_replaced_goes_on(now: datetime) -> None:
    scenarios.confirmed(now=now, user_message="Words.")
    before = everything()
    let_it_stand_at(BEFORE)
    assert len(REPLACED.keys() - recorded()) > len(FIRSTS)
    assert pending_migrations.pending() == ()

    call_command("release", stdout=StringIO())
    assert everything() == before
    assert recorded() >= BEFORE | REPLACED.keys()
    said = StringIO()
    call_command("showmigrations", stdout=said)
    assert "[ ]" not in said.getvalue()

    rows = recorded()
    call_command("release", stdout=StringIO())
    assert (everything(), recorded()) == (before, rows)


@pytest.mark.parametrize(("app", "name"), FIRSTS)
def test_a_database_that_applied_only_some_of_what_is_replaced_is_refused(app: str, name: str) -> None:
    let_it_stand_at(BEFORE - {max(REPLACED[app, name])})
    refused(app)


def test_a_database_of_the_first_release_is_refused() -> None:
    let_it_stand_at(OF_1_0_0)
    refused("bookings")


def refused(app: str) -> None:
    rows = recorded()
    with pytest.raises(CommandError, match=rf"applied only some of what {app}\.0001_\w+(, .+)? replaces"):
        call_command("release", stdout=StringIO())
    assert recorded() == rows
    assert any(name.startswith(f"{app}.") for name in pending_migrations.pending())


def test_a_new_database_counts_as_one_that_applied_all_that_is_replaced() -> None:
    assert recorded() >= BEFORE
    assert pending_migrations.pending() == ()
