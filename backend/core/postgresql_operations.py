"""Steps of migrations that only PostgreSQL takes."""

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
