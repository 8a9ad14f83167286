"""The ledger refuses to be changed, also after a later migration of its table; no plain token is stored."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import Error, connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor

from backend.bookings import ledger_triggers, links
from backend.bookings.models import LedgerEntry, Link
from tests.support import scenarios


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.update(actor="somebody else"),
        lambda rows: rows._raw_delete(using="default"),
    ],
    ids=["update", "delete"],
)
def test_the_database_refuses_to_change_a_ledger_row(change, now: datetime) -> None:
    scenarios.pending(now=now)
    rows = list(LedgerEntry.objects.order_by("pk").values())
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        change(LedgerEntry.objects.all())
    assert list(LedgerEntry.objects.order_by("pk").values()) == rows


@pytest.mark.django_db(transaction=True)
def test_the_ledger_is_guarded_again_after_a_later_migration_of_its_table(now: datetime) -> None:
    scenarios.pending(now=now)
    state = MigrationExecutor(connection).loader.project_state()
    wider = migrations.AlterField("ledgerentry", "actor", models.CharField(max_length=81))
    with connection.schema_editor(atomic=True) as editor:
        after = state.clone()
        wider.state_forwards("bookings", after)
        wider.database_forwards("bookings", editor, state, after)
    if connection.vendor == "sqlite":  # the rebuilt table has lost its triggers, and the check says so
        assert ledger_triggers.triggers_missing()
    call_command("migrate", verbosity=0)
    assert not ledger_triggers.triggers_missing()
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        LedgerEntry.objects.update(actor="somebody else")
    with connection.schema_editor(atomic=True) as editor:
        wider = migrations.AlterField("ledgerentry", "actor", models.CharField(max_length=80))
        wider.database_forwards("bookings", editor, after, state)
    ledger_triggers.install_triggers()


@pytest.mark.postgres_only
@pytest.mark.django_db
@pytest.mark.parametrize("table", ["bookings_ledgerentry", "bookings_booking"])
def test_the_database_refuses_to_empty_the_ledger(table: str, now: datetime) -> None:
    scenarios.pending(now=now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no TRUNCATE beside checks that wait for the commit
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            cursor.execute(f"TRUNCATE {table} CASCADE")
    assert LedgerEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("on_postgresql", "on_sqlite"), [("append_only", "update"), ("never_emptied", "delete")])
def test_an_unguarded_ledger_is_found_by_the_check(on_postgresql: str, on_sqlite: str, now: datetime) -> None:
    from backend.bookings.checks import ledger_is_guarded

    assert ledger_is_guarded(databases=["default"]) == []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER ledger_is_{on_postgresql} ON bookings_ledgerentry")
        else:
            cursor.execute(f"DROP TRIGGER ledger_refuses_{on_sqlite}")
    assert [found.id for found in ledger_is_guarded(databases=["default"])] == ["bookings.E001"]


@pytest.mark.django_db
def test_the_database_holds_no_plain_token(now: datetime, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    booking = scenarios.confirmed(now=now)
    mails = Link.objects.filter(booking=booking).values_list("message_uuid", flat=True)
    tokens = [token for mail in set(mails) for token in links.tokens_of(mail).values()]
    assert len(tokens) >= 5
    assert all(tokens)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            stored = repr(cursor.fetchall())
            for token in tokens:
                assert token not in stored, table
    assert {link.digest for link in Link.objects.all()} >= {links.digest(token) for token in tokens}


@pytest.mark.django_db
def test_the_visitors_message_is_stored_encrypted(now: datetime) -> None:
    booking = scenarios.submitted(now=now, user_message="quiet words")
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_message FROM bookings_booking WHERE id = %s", [booking.pk])
        stored = cursor.fetchone()[0]
    assert "quiet" not in stored
    assert scenarios.again(booking).user_message == "quiet words"
