"""An index of a table that is in use is made and dropped beside its users, and made anew where half of one stands."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.state import ProjectState

from backend.core.postgresql_operations import AddIndexConcurrently, RemoveIndexConcurrently
from backend.payments.models import Payment

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = Payment._meta.db_table


def columns() -> list[str]:
    """Of the index."""
    with connection.cursor() as cursor:
        found: dict[str, Any] = connection.introspection.get_constraints(cursor, TABLE)
    return list(found["payment_tried"]["columns"]) if "payment_tried" in found else []


def test_it_is_made_and_made_anew_and_goes() -> None:
    without, state = ProjectState.from_apps(apps), ProjectState.from_apps(apps)
    index = models.Index(fields=["closed_at"], name="payment_tried")
    try:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE INDEX payment_tried ON {TABLE} (paid_by)")
        add = AddIndexConcurrently("payment", index)
        add.state_forwards("payments", state)
        with connection.schema_editor(atomic=False) as editor:
            add.database_forwards("payments", editor, without, state)
        assert columns() == ["closed_at"]
    finally:
        with connection.schema_editor(atomic=False) as editor:
            RemoveIndexConcurrently("payment", index.name).database_forwards("payments", editor, state, without)
    assert columns() == []
