"""A database made before the migrations were squashed goes on: nothing runs twice, and no row is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import StateApps

from backend.bookings.models import Booking, Link
from backend.core import keyring
from backend.ops import pending_migrations
from tests.support import scenarios
from tests.support.database_rows import everything

# what Django records is the same on both, and tests/core/test_key_rotation.py takes PostgreSQL the same way
pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rows_of_migrations"),
]
SQUASHED, SINCE = "0001_bookings_links_and_slot_claims", "0002_links_name_their_key"
# what release 1.0.0 recorded of its own apps
OF_1_0_0 = {
    "api": ["0001_initial"],
    "bookings": [
        "0001_initial", "0002_slot_claims_never_overlap", "0003_cancellations_moves_and_outcomes", "0004_wished_slots",
        "0005_sponsored_months", "0006_follow_ups_moves_and_alternatives", "0007_disclosures_and_permissions",
        "0008_sessions_and_requests_by_time", "0009_messages_read", "0010_desk_list_and_search",
    ],
    "ops": ["0001_signs_of_life_and_acts", "0002_runs_say_their_trace"],
    "outbox": ["0001_initial", "0002_discarded_rows_and_paused_queues"],
    "payments": ["0001_initial", "0002_find_events_of_a_payment"],
    "people": [
        "0001_initial", "0002_enquiries", "0003_hours_languages_and_time_off", "0004_corporate_contracts", "0005_roles",
    ],
    "workers": ["0001_initial"],
}  # fmt: skip
OLD = {(app, name) for app, names in OF_1_0_0.items() for name in names}


@pytest.fixture
def rows_of_migrations() -> Iterator[None]:
    """Whatever a test did to them, they are as they were afterwards, and the tables too."""
    table = MigrationRecorder(connection).migration_qs
    before = list(table.all())
    yield
    if ("bookings", SINCE) not in recorded():
        call_command("migrate", verbosity=0)
    table.all().delete()
    table.bulk_create(before)


def recorded() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).migration_qs.values_list("app", "name"))


def older_tables() -> StateApps:
    """Those of 1.0.0, without what bookings got since. What came in place of its migrations is not recorded."""
    assert not Link.objects.exists()  # a column without a default is put back
    executor = MigrationExecutor(connection)
    state = executor.migrate([("bookings", SQUASHED)])
    for app, name in executor.loader.replacements:
        executor.recorder.record_unapplied(app, name)
    return state.apps


def test_a_database_of_the_release_before_goes_on(now: datetime) -> None:
    scenarios.submitted(now=now)
    Booking.objects.update(notice_version="", notice_language="")  # nobody had asked for them yet
    before, links = everything(), list(Link.objects.order_by("pk").values())
    Link.objects.all().delete()
    older = older_tables().get_model("bookings", "Link")
    for row in links:
        older.objects.create(**{name: row[name] for name in row if name != "key_id"}, key_index=0)
    assert ("bookings", SQUASHED) not in recorded()
    assert recorded() >= OLD
    assert f"bookings.{SINCE}" in pending_migrations.pending()
    assert f"bookings.{SQUASHED}" not in pending_migrations.pending()

    call_command("release", stdout=StringIO())
    assert everything() == before  # the same rows; and links got the id of the key that signed them
    assert {link["key_id"] for link in links} == {keyring.ring("TOKEN_KEY").newest.id}
    assert pending_migrations.pending() == ()
    said = StringIO()
    call_command("showmigrations", stdout=said)
    assert "[ ]" not in said.getvalue()
    assert ("bookings", SQUASHED) in recorded()

    rows = recorded()
    call_command("release", stdout=StringIO())
    assert (everything(), recorded()) == (before, rows)


@pytest.mark.parametrize("app", [app for app, names in OF_1_0_0.items() if len(names) > 1])
def test_a_database_that_applied_only_some_of_what_is_replaced_is_refused(app: str) -> None:
    MigrationRecorder(connection).record_unapplied(app, OF_1_0_0[app][0])
    rows = recorded()
    with pytest.raises(CommandError, match=rf"applied some of what {app}\.0001_\w+ replaces, not all"):
        call_command("release", stdout=StringIO())
    assert recorded() == rows
    assert any(name.startswith(f"{app}.") for name in pending_migrations.pending())


def test_a_new_database_counts_as_one_that_applied_all_that_is_replaced() -> None:
    assert recorded() >= OLD
    assert pending_migrations.pending() == ()
