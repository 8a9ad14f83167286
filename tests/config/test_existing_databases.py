"""A database made before the migrations were squashed goes on: nothing runs twice, and no row is lost.

Migrating there and back takes seconds, so all that migrations do to rows is seen on the one way.
"""

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

from backend.audit.models import AccessRecord, Kind
from backend.audit.readings import of_booking
from backend.bookings.models import Booking, Link
from backend.core import keyring, unbound_texts
from backend.ops import pending_migrations
from backend.outbox.models import Message
from backend.people.models import Enquiry
from tests.support import factories, scenarios
from tests.support.database_rows import everything

# what Django records is the same on both, and tests/core/test_key_rotation.py takes PostgreSQL the same way
pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rows_of_migrations"),
]
BROKEN = "gAAAAABbroken"
BEFORE_TEXTS_WERE_BOUND = (
    ("people", "0004_clients_without_an_address"),
    ("outbox", "0006_messages_about_several_bookings"),
)
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
    """Those of 1.0.0, without what came since. What came in place of its migrations is not recorded."""
    assert not Link.objects.exists()  # a column without a default is put back
    executor = MigrationExecutor(connection)
    executor.migrate([("bookings", SQUASHED), *BEFORE_TEXTS_WERE_BOUND, ("audit", "0001_access_records")])
    for app, name in executor.loader.replacements:
        executor.recorder.record_unapplied(app, name)
    return executor.loader.project_state([("bookings", SQUASHED)]).apps


def test_a_database_of_the_release_before_goes_on(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = written_long_ago(now)
    before, links = everything(), list(Link.objects.order_by("pk").values())
    enquiry = factories.make_enquiry(now=now)  # which gets columns since that are made up anew
    Link.objects.all().delete()
    tables = older_tables()
    older = tables.get_model("bookings", "Link")
    for row in links:
        older.objects.create(**{name: row[name] for name in row if name != "key_id"}, key_index=0)
    tables.get_model("bookings", "Disclosure").objects.create(
        booking_id=booking.pk, actor="staff:asha", at=now, correlation_id="c"
    )
    assert ("bookings", SQUASHED) not in recorded()
    assert recorded() >= OLD
    assert f"bookings.{SINCE}" in pending_migrations.pending()
    assert f"bookings.{SQUASHED}" not in pending_migrations.pending()

    a_text_that_cannot_be_read_stops_the_copy(monkeypatch)
    call_command("release", stdout=StringIO())
    assert Enquiry.objects.get(pk=enquiry.pk).text == enquiry.text
    Enquiry.objects.all().delete()
    assert everything() == before  # the same rows and words; and links got the id of the key that signed them
    assert {link["key_id"] for link in links} == {keyring.ring("TOKEN_KEY").newest.id}
    shown_before_is_part_of_the_log(booking, now)
    assert pending_migrations.pending() == ()
    said = StringIO()
    call_command("showmigrations", stdout=said)
    assert "[ ]" not in said.getvalue()
    assert ("bookings", SQUASHED) in recorded()

    rows = recorded()
    call_command("release", stdout=StringIO())
    assert (everything(), recorded()) == (before, rows)


def written_long_ago(now: datetime) -> Booking:
    """The last of three bookings, one of which a mail said something of."""
    bookings = [scenarios.submitted(f"a{n}@example.org", now=now, user_message=f"Words {n}.") for n in range(3)]
    Booking.objects.update(notice_version="", notice_language="")  # nobody had asked for them yet
    message = Message.objects.earliest("pk")
    message.context = {"note": "We are full."}
    message.save()
    return bookings[-1]


def a_text_that_cannot_be_read_stops_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which then goes on where it stopped."""
    monkeypatch.setattr(unbound_texts, "AT_ONCE", 1)
    last, text = list(texts().items())[-1]
    assert all(text.startswith("gAAAA") for text in texts().values())
    write(last, "user_message", BROKEN)
    with pytest.raises(unbound_texts.CannotCopy, match=r"user_message: 1 texts cannot be read, of the rows \[\d+\]"):
        call_command("migrate", verbosity=0)
    assert list(texts("unbound_user_message").values()) == ["", "", BROKEN]
    write(last, "unbound_user_message", text)  # the key is back


def texts(column: str = "user_message") -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {column} FROM bookings_booking ORDER BY id")
        return dict(cursor.fetchall())


def write(pk: int, column: str, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE bookings_booking SET {column} = %s WHERE id = %s", [text, pk])


def shown_before_is_part_of_the_log(booking: Booking, now: datetime) -> None:
    row = AccessRecord.objects.get(kind=Kind.REVEALED)
    assert (row.actor, row.at, row.correlation_id) == ("staff:asha", now, "c")
    (found,) = of_booking(booking, since=now)
    assert found.what == ("emergency_contact", "phone_number")


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
