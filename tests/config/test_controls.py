"""The list of security controls names places and tests that exist, and each row is whole."""

from __future__ import annotations

import re

import pytest

from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
CONTROLS = ROOT / "docs" / "security" / "controls.md"
HEAD = ("Threat", "Behaviour", "Where", "Test")


def rows(text: str) -> list[tuple[str, ...]]:
    lines = [line.strip() for line in text.splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def wrong(text: str) -> list[str]:
    """What is said there and is not so."""
    return [why for row in rows(text) if row != HEAD for why in _wrong_in(row)]


def _wrong_in(row: tuple[str, ...]) -> list[str]:
    if len(row) != len(HEAD) or not all(row):
        return [f"not four cells: {row[0]}"]
    places, tests = re.findall(r"`([^`]+)`", row[2]), re.findall(r"`([^`]+)`", row[3])
    found = [f"no such place: {place}" for place in places if not (ROOT / place).exists()]
    found += [f"no such test: {name}" for name in tests if not _is_test(name)]
    return found if places and tests else [*found, f"names no place or no test: {row[0]}"]


def _is_test(name: str) -> bool:
    path, _, function = name.partition("::")
    file = ROOT / path
    is_there = path.startswith("tests/") and file.is_file() and function.startswith("test_")
    return is_there and re.search(rf"^def {re.escape(function)}\(", file.read_text(), re.MULTILINE) is not None


def test_every_control_stands_under_a_heading() -> None:
    assert CONTROLS.read_text().startswith("# Security controls\n")


def test_every_control_names_a_place_and_a_test_that_exist() -> None:
    assert wrong(CONTROLS.read_text()) == []
    assert len(rows(CONTROLS.read_text())) > 30


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "| A | b | `backend/nowhere.py` | `tests/config/test_controls.py::test_a_wrong_row_is_found` |",
            "no such place",
        ),
        ("| A | b | `backend` | `tests/config/test_controls.py::test_nothing` |", "no such test"),
        ("| A | b | `backend` | `tests/nowhere.py::test_x` |", "no such test"),
        ("| A | b | backend | |", "not four cells"),
        ("| A | b | somewhere | some test |", "names no place"),
    ],
)
def test_a_wrong_row_is_found(row: str, said: str) -> None:
    (why,) = wrong(row)
    assert why.startswith(said)


def test_the_way_to_the_list_is_told() -> None:
    assert "docs/security/controls.md" in (ROOT / "SECURITY.md").read_text()
