"""How whoever did something is named, and that every column holds the name."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import CharField

from backend.bookings import actors

pytestmark = pytest.mark.sqlite_only


def test_staff_and_gateways_are_named_by_their_kind() -> None:
    assert actors.for_account(User(username="desk")) == actors.staff("desk") == "staff:desk"
    assert actors.for_account(AnonymousUser()) == "staff:"
    assert actors.gateway("sandbox") == "gateway:sandbox"


@pytest.mark.parametrize("username", ["x" * 74, "x" * 75, "é" * 150])
def test_a_name_too_long_for_the_column_is_cut(username: str) -> None:
    assert actors.staff(username) == "staff:" + username[:74]


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("staff:desk", "staff:desk"),
        ("staff:" + "x" * 75, "staff:" + "x" * 74),
        *((typed, None) for typed in ("staff:", "desk", "gateway:sandbox", "staff:a b", "staff:a\n", " staff:a", "")),
    ],
)
def test_a_name_that_was_typed_is_one_of_staff_or_none(typed: str, named: str | None) -> None:
    assert actors.parse_staff(typed) == named


def test_every_column_that_names_an_actor_has_the_ledgers_length() -> None:
    columns = {
        f"{model.__name__}.{field.name}": field.max_length
        for model in apps.get_models()
        if model.__module__.startswith(("backend.", "workers."))
        for field in model._meta.concrete_fields
        if isinstance(field, CharField)
        and (field.name == "actor" or field.name.endswith("_by"))
        and field.name not in ("paid_by", "reminders_by")  # by which means
    }
    assert len(columns) >= 8
    assert {name: length for name, length in columns.items() if length != actors.LONGEST} == {}
