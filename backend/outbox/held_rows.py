"""Several held rows written in one statement, each under its fence.

The ORM would write one row a statement, and take longer to word it than the database to do it. What it would have
written is shown by `tests/outbox/test_held_rows.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from django.db import connection
from django.db.models import CharField, Field, TextField

from backend.core import statements
from backend.core.statements import Row, Statement, run
from backend.outbox.models import Message, MessageState

Question: TypeAlias = Statement[list[Row]]
HeldRow: TypeAlias = tuple[int, int, Mapping[str, object]]  # id, fence, and the columns that get another value

KEPT = (  # where they are not given
    "state", "attempts", "hand_overs", "may_have_left", "is_snoozed", "next_attempt_at", "settled_at", "last_error",
    "context", "frozen_at", "handed_to", "provider_message_id",
)  # fmt: skip
COLUMNS = ("lease_expires_at", *KEPT)  # the first is always given: each step ends a lease or says until when it lasts


def write(rows: Sequence[HeldRow], question: Question | None = None) -> tuple[set[int], list[Row]]:
    """The ids of those that were waiting still, under that fence. Of several, those that somebody locks are left out.

    And what the question finds, asked after that: in one trip to the database and one transaction, where it takes many
    statements at once. Raises KeyError for a row whose lease is not given.
    """
    if not rows:
        return set(), []
    fields = _fields()
    values: list[Any] = []
    for pk, fence, given in rows:
        values += (pk, fence, given["lease_expires_at"] and _adapted(fields[0], given["lease_expires_at"]))
        values += (_adapted(field, given.get(field.attname)) for field in fields[1:])
    sql = _statement(connection.vendor, len(rows))
    writing = Statement(sql, [*values, MessageState.WAITING], statements.rows)
    written, *found = run(writing, *([] if question is None else [question]))
    return {pk for (pk,) in written}, found[0] if found else []


@cache
def _fields() -> list[Field[Any, Any]]:
    found = {field.attname: field for field in Message._meta.concrete_fields}
    return [found[name] for name in COLUMNS]


def _adapted(field: Field[Any, Any], value: Any) -> Any:
    return None if value is None else field.get_db_prep_save(value, connection)


@cache
def _statement(vendor: str, count: int) -> str:
    one = ", ".join(["%s", "%s", *map(_place, _fields())])
    return _STATEMENT.format(
        names=", ".join(COLUMNS),
        rows=", ".join([f"({one})"] * count),
        unlocked=_UNLOCKED if vendor == "postgresql" and count > 1 else "",
        is_unlocked=_IS_UNLOCKED if vendor == "postgresql" and count > 1 else "",
        changes=", ".join(f"{name} = COALESCE(given.{name}, message.{name})" for name in KEPT),
    )


def _place(field: Field[Any, Any]) -> str:
    """PostgreSQL takes a column of values for text where nothing in it says otherwise."""
    if connection.vendor != "postgresql" or isinstance(field, CharField | TextField):
        return "%s"
    return f"CAST(%s AS {field.db_type(connection)})"


_STATEMENT = """
WITH given (row_id, row_fence, {names}) AS (VALUES {rows}){unlocked}
UPDATE outbox_message AS message
SET lease_expires_at = given.lease_expires_at, {changes}
FROM given
WHERE message.id = given.row_id AND message.fence = given.row_fence AND message.state = %s{is_unlocked}
RETURNING id
"""
_UNLOCKED = """,
unlocked AS (
    SELECT id FROM outbox_message WHERE id IN (SELECT row_id FROM given) FOR NO KEY UPDATE SKIP LOCKED
)"""
_IS_UNLOCKED = " AND message.id IN (SELECT id FROM unlocked)"
