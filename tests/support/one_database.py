"""Which tests run on one database alone: a test by its marks, a whole file by its `pytestmark`, before its import."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ONLY_ON = {"sqlite_only": "sqlite", "postgres_only": "postgresql"}  # mark: vendor
ASKS_FOR_ONE = {"db", "transactional_db", "django_db_setup"}  # fixtures
PYTESTMARK = re.compile(r"^pytestmark = .*(?:\n[ \])].*)*", re.MULTILINE)  # with the lines that it goes on for


def only_on(item: pytest.Item) -> str | None:
    """The one database that a test runs on; None: each. One that asks for no database is told nothing by the second."""
    for mark in item.iter_markers():  # the closest counts, so that no test is without a database
        if mark.name in ONLY_ON:
            return ONLY_ON[mark.name]
    asks = item.get_closest_marker("django_db") or ASKS_FOR_ONE & set(getattr(item, "fixturenames", ()))
    return None if asks else ONLY_ON["sqlite_only"]


@cache
def file_only_on(path: Path) -> str | None:
    """The one database that all tests of the file run on, as its head says; elsewhere it need not be imported."""
    text = path.read_text().lower()  # POSTGRES_ONLY of tests/support/races.py is such a mark, too
    head = PYTESTMARK.search(text)
    said = [mark for mark in ONLY_ON if mark in text]  # one that stands at a test alone may be the other
    return ONLY_ON[said[0]] if len(said) == 1 and head and said[0] in head.group() else None


def is_contradicted(item: pytest.Item) -> bool:
    """Whether a test runs where its file is not imported."""
    return file_only_on(item.path) not in (None, only_on(item))
