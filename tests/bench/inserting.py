"""`INSERT … SELECT` for a model: what is not said gets the default of its field, as a constructor would give it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import models


def literal(value: Any) -> str:
    """A value as SQL says it; of our own, no stranger's."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        value = json.dumps(value)
    if isinstance(value, datetime):
        return f"timestamptz '{value.isoformat()}'"
    return str(value) if isinstance(value, int) else "'{}'".format(str(value).replace("'", "''"))


def insert(model: type[models.Model], source: str, /, **said: str) -> str:
    """One statement: expressions by column, and what they select from. Raises KeyError for a column there is not."""
    chosen = {}
    for field in model._meta.concrete_fields:
        if field.attname in said:
            chosen[field.column] = said.pop(field.attname)
        elif not field.primary_key and not field.has_db_default():
            chosen[field.column] = _default(field)
    if said:
        raise KeyError(f"{model.__name__} has no {', '.join(said)}")
    return f"INSERT INTO {model._meta.db_table} ({', '.join(chosen)}) SELECT {', '.join(chosen.values())} FROM {source}"


def _default(field: models.Field[Any, Any]) -> str:
    if isinstance(field, models.UUIDField):
        return "gen_random_uuid()"
    return literal(field.get_default())


def values(name: str, columns: str, rows: list[tuple[Any, ...]]) -> str:
    """A list of ours as something to join: `(VALUES …) AS name (columns)`."""
    lines = ", ".join(f"({', '.join(literal(cell) for cell in row)})" for row in rows)
    return f"(VALUES {lines}) AS {name} ({columns})"
