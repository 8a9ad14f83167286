"""What the database holds, to see that nothing was written."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.db.models import Model

from backend.bookings.models import Booking, LedgerEntry, Link
from backend.outbox.models import Message
from backend.payments.models import Payment, Refund
from backend.people.models import Enquiry


def everything() -> str:
    """All that a request could have changed."""
    models = (Booking, LedgerEntry, Message, Link, Payment, Refund, Enquiry)
    return json.dumps([[_told(row) for row in model.objects.order_by("pk")] for model in models], default=str)


def dump() -> str:
    """All that stands in the database, as whoever takes it away has it."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        return "\n".join(connection.connection.iterdump())
    with connection.cursor() as cursor:
        return "\n".join(
            str(row) for name in connection.introspection.table_names(cursor) for row in _rows(cursor, name)
        )


def _rows(cursor: Any, table: str) -> list[Any]:
    cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")
    return list(cursor.fetchall())


def _told(row: Model) -> dict[str, Any]:
    """Texts opened: sealed again, the same text is another ciphertext."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
