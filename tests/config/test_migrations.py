"""Migrations only add, so that the code before them goes on working beside them.

docs/operations/README.md, "Upgrade with no downtime". What RunPython and RunSQL do, and whether rows that old code
writes meet a new constraint, only a reader can tell.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from math import inf
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from backend.core.postgresql_operations import AddIndexConcurrently, RemoveIndexConcurrently

pytestmark = pytest.mark.sqlite_only
# a migration that removes, and the release that stopped using what it takes away: "bookings.0003_x": "2027.1"
REMOVES: dict[str, str] = {}
HARMLESS = (
    ops.CreateModel, ops.AddIndex, ops.RemoveIndex, ops.RenameIndex, ops.AddConstraint, ops.RemoveConstraint,
    ops.AlterModelOptions, ops.AlterModelManagers, ops.RunPython, ops.RunSQL,
)  # fmt: skip
# length and null are compared by themselves; an index is beside the column
NOT_OF_THE_COLUMN = {"default", "db_default", "max_length", "null", "db_index"}


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


def waits(operation: Operation, made: Collection[str], *, is_atomic: bool) -> str:
    """Why who uses a table would wait for its index; empty when nobody does, as of tables `made` there."""
    if not isinstance(operation, ops.AddIndex | ops.RemoveIndex) or operation.model_name_lower in made:
        return ""
    is_fine = isinstance(operation, AddIndexConcurrently | RemoveIndexConcurrently) and not is_atomic
    return "" if is_fine else f"others wait: {type(operation).__name__}Concurrently, and `atomic = False`"


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


def troubles() -> Iterator[str]:
    """Of all migrations, one by one."""
    loader = MigrationLoader(None)
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if not apps.get_app_config(app).name.startswith(("backend.", "workers")):
            continue
        if f"{app}.{name}" in REMOVES:
            continue
        state = loader.project_state((app, name), at_end=False)
        made = {operation.name_lower for operation in migration.operations if isinstance(operation, ops.CreateModel)}
        for operation in migration.operations:
            if why := trouble(operation, app, state) or waits(operation, made, is_atomic=migration.atomic):
                yield f"{app}.{name}: {operation.describe()}: {why}"
            operation.state_forwards(app, state)


def test_every_migration_only_adds() -> None:
    assert list(troubles()) == []


def test_a_migration_that_is_added_is_looked_at(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "workers_and_one_more"
    shutil.copytree(Path(apps.get_app_config("workers").path) / "migrations", folder)
    (folder / "0099_no_digest.py").write_text(REMOVING.format(last=max(folder.glob("0*.py")).stem))
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"workers": folder.name}
    (said,) = (why for why in troubles() if why.startswith("workers."))
    assert said.startswith("workers.0099_no_digest: Remove field digest from installeddefault: old code still uses")


REMOVING = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("workers", "{last}")]
    operations = [migrations.RemoveField("installeddefault", "digest")]
"""
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


INDEX = models.Index(fields=["name"], name="thing_name")


@pytest.mark.parametrize(
    ("operation", "made", "is_atomic", "is_fine"),
    [
        (ops.AddIndex("thing", INDEX), (), True, False),
        (ops.AddIndex("Thing", INDEX), ("thing",), True, True),
        (AddIndexConcurrently("thing", INDEX), (), True, False),
        (AddIndexConcurrently("thing", INDEX), (), False, True),
        (ops.RemoveIndex("thing", "thing_name"), (), True, False),
        (RemoveIndexConcurrently("thing", "thing_name"), (), True, False),
        (RemoveIndexConcurrently("thing", "thing_name"), (), False, True),
    ],
)
def test_nobody_waits_for_an_index(
    operation: Operation, made: tuple[str, ...], *, is_atomic: bool, is_fine: bool
) -> None:
    assert (waits(operation, made, is_atomic=is_atomic) == "") is is_fine
