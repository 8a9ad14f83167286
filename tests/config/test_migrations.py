"""Migrations since the first release only add, so that the code before them goes on working beside them.

docs/operations/README.md, "Upgrade with no downtime". What RunPython and RunSQL do, and whether rows that old code
writes meet a new constraint, only a reader can tell.
"""

from __future__ import annotations

from math import inf

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

# ran beside no older code
FIRST_RELEASE = {"api": 1, "bookings": 11, "ops": 1, "outbox": 2, "payments": 2, "people": 5, "workers": 1}
# a migration that removes, and the release that stopped using what it takes away: "bookings.0011_x": "2027.1"
REMOVES: dict[str, str] = {}
HARMLESS = (
    ops.CreateModel, ops.AddIndex, ops.RemoveIndex, ops.RenameIndex, ops.AddConstraint, ops.RemoveConstraint,
    ops.AlterModelOptions, ops.AlterModelManagers, ops.RunPython, ops.RunSQL,
)  # fmt: skip
NOT_OF_THE_COLUMN = {"default", "db_default", "max_length", "null"}  # length and null are compared by themselves


def trouble(operation: Operation, app: str, before: ProjectState) -> str:
    """Why code that does not know of `operation` would fail after it; empty when it would not."""
    if isinstance(operation, HARMLESS):
        return ""
    if isinstance(operation, ops.SeparateDatabaseAndState):
        state = before.clone()
        for part in operation.database_operations:
            if why := trouble(part, app, state):
                return why
            part.state_forwards(app, state)
        return ""
    if isinstance(operation, ops.AddField):
        return "" if _may_be_left_out(operation.field) else "old code inserts rows without it: null, or a db_default"
    if isinstance(operation, ops.AlterField):
        old = before.models[app, operation.model_name_lower].fields[operation.name]
        return "" if _holds_what_it_held(old, operation.field) else "old code may write or read it as it was"
    return "old code still uses what it changes or removes"


def _may_be_left_out(field: models.Field) -> bool:
    return field.null or field.many_to_many or (field.has_db_default() and not field.unique)


def _holds_what_it_held(old: models.Field, new: models.Field) -> bool:
    """Old code may write all that it wrote, and meets nothing that it could not meet before."""
    shapes = []
    for field in (old, new):
        options = field.deconstruct()[3]
        shapes.append({name: options[name] for name in options.keys() - field.non_db_attrs - NOT_OF_THE_COLUMN})
    has_room = not isinstance(new, models.CharField) or _longest(old) <= _longest(new)
    return type(old) is type(new) and old.null == new.null and shapes[0] == shapes[1] and has_room


def _longest(field: models.Field) -> float:
    return inf if field.max_length is None else field.max_length


def test_every_migration_since_the_first_release_only_adds() -> None:
    loader = MigrationLoader(None)
    looked_at = 0
    for (app, name), migration in loader.disk_migrations.items():
        if not apps.get_app_config(app).name.startswith(("backend.", "workers")):
            continue
        assert app in FIRST_RELEASE, f"{app} is new: say so in FIRST_RELEASE with 0"
        if int(name[:4]) <= FIRST_RELEASE[app] or f"{app}.{name}" in REMOVES:
            continue
        state = loader.project_state((app, name), at_end=False)
        for operation in migration.operations:
            assert not (why := trouble(operation, app, state)), f"{app}.{name}: {operation.describe()}: {why}"
            looked_at += 1
            operation.state_forwards(app, state)
    assert looked_at


TEXT = {"max_length": 10, "default": ""}
NEW = ops.AddField("thing", "note", models.TextField(null=True))


@pytest.mark.parametrize(
    ("operation", "is_fine"),
    [
        (ops.AddField("thing", "note", models.CharField(**TEXT)), False),
        (ops.AddField("thing", "note", models.CharField(**TEXT, db_default="")), True),
        (ops.AddField("thing", "at", models.DateTimeField(null=True)), True),
        (ops.RemoveField("thing", "name"), False),
        (ops.RenameField("thing", "name", "title"), False),
        (ops.DeleteModel("thing"), False),
        (ops.RenameModel("thing", "item"), False),
        (ops.AlterModelTable("thing", "items"), False),
        (ops.CreateModel("other", []), True),
        (ops.AlterField("thing", "name", models.CharField(max_length=20)), True),
        (ops.AlterField("thing", "name", models.CharField(max_length=10, choices=[("a", "A")])), True),
        (ops.AlterField("thing", "name", models.CharField(max_length=9)), False),
        (ops.AlterField("thing", "name", models.CharField(max_length=20, unique=True)), False),
        (ops.AlterField("thing", "name", models.IntegerField()), False),
        (ops.AlterField("thing", "maybe", models.IntegerField()), False),
        (ops.AlterField("thing", "maybe", models.IntegerField(null=True, help_text="Perhaps.")), True),
        (ops.AlterField("thing", "name", models.CharField(max_length=10, null=True)), False),
        (ops.AlterField("thing", "name", models.CharField()), True),
        (ops.AlterField("thing", "name", models.CharField(max_length=10, db_default="x", editable=False)), True),
        (ops.AddField("thing", "note", models.CharField(**TEXT, db_default="", unique=True)), False),
        (ops.RemoveIndex("thing", "thing_name"), True),
        (ops.SeparateDatabaseAndState([NEW, ops.AlterField("thing", "note", models.TextField(null=True))]), True),
        (ops.SeparateDatabaseAndState([NEW, ops.RemoveField("thing", "name")]), False),
        (ops.SeparateDatabaseAndState(state_operations=[ops.RemoveField("thing", "name")]), True),
    ],
)
def test_what_only_adds_is_told_from_what_does_not(operation: Operation, *, is_fine: bool) -> None:
    fields = [("name", models.CharField(max_length=10)), ("maybe", models.IntegerField(null=True))]
    before = ProjectState({("shop", "thing"): ModelState("shop", "Thing", fields)})
    assert (trouble(operation, "shop", before) == "") is is_fine
