"""Classifies each model's columns by what they say of a person; purge, export, history and the leak tests read it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import models


class Sensitivity(StrEnum):
    """What a column holds; each one's meaning is below."""

    PERSONAL = "personal"
    SENSITIVE = "sensitive"
    INTERNAL = "internal"


MEANING = {
    Sensitivity.PERSONAL: "says who somebody is, how to reach them, or opens a door; whoever sees the row sees it",
    Sensitivity.SENSITIVE: "entrusted to us: masked or hidden on the row, save for those whose work needs it",
    Sensitivity.INTERNAL: "ours; nothing that a person typed stands there, and logs may quote it",
}
ABOUT_PEOPLE = (Sensitivity.PERSONAL, Sensitivity.SENSITIVE)


def classify(*, personal: str = "", sensitive: str = "", internal: str = "") -> dict[str, Sensitivity]:
    """A model's `SENSITIVITY`: the names of all its columns, save an automatic primary key, each once."""
    given = {Sensitivity.PERSONAL: personal, Sensitivity.SENSITIVE: sensitive, Sensitivity.INTERNAL: internal}
    found: dict[str, Sensitivity] = {}
    for sensitivity, names in given.items():
        for name in names.split():
            if name in found:
                raise ValueError(f"{name} is classified twice.")
            found[name] = sensitivity
    return found


def declared(model: type[models.Model]) -> dict[str, Sensitivity]:
    """The model's classification; a history has that of what it tracks."""
    tracked = getattr(model, "instance_type", model)
    classification: dict[str, Sensitivity] = getattr(tracked, "SENSITIVITY", {})
    return classification


def personal_columns(model: type[models.Model], *wanted: Sensitivity) -> list[str]:
    """The columns of these classes, in the model's order; without a class all that are about people."""
    given = declared(model)
    return [field.name for field in model._meta.concrete_fields if given.get(field.name) in (wanted or ABOUT_PEOPLE)]


def emptied(model: type[models.Model]) -> dict[str, Any]:
    """The values that redacting writes into the columns about people."""
    fields = [model._meta.get_field(name) for name in personal_columns(model)]
    return {field.name: None if getattr(field, "null", False) else "" for field in fields}
