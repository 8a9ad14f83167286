"""Steps of migrations that PostgreSQL alone takes, or takes otherwise."""

from __future__ import annotations

from typing import Any

from django.db import migrations


class OnPostgreSQL(migrations.RunSQL):
    """SQL that SQLite neither knows nor needs. Backwards it does nothing: older code runs with what it leaves."""

    def __init__(self, *statements: str) -> None:
        super().__init__(list(statements), migrations.RunSQL.noop)

    def deconstruct(self) -> tuple[str, Any, Any]:
        return type(self).__qualname__, list(self.sql), {}

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddIndexConcurrently(migrations.AddIndex):
    """An index of a table that is in use: on PostgreSQL nobody who writes there waits until it is made.

    Its migration has `atomic = False`. Run again after it was stopped, it begins anew: half an index answers nothing.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
        schema_editor.add_index(model, self.index, concurrently=True)


class RemoveIndexConcurrently(migrations.RemoveIndex):
    """Of a table that is in use: on PostgreSQL nobody there waits for who has read it for long, as a dump does.

    Its migration has `atomic = False`, and may be run again after it was stopped.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.name)}")
