"""No test is left out on both databases, and no file of the other one is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.one_database import file_only_on

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("text", "vendor"),
    [
        ("pytestmark = pytest.mark.sqlite_only", "sqlite"),
        ("pytestmark = [*POSTGRES_ONLY, pytest.mark.usefixtures('clock')]", "postgresql"),
        ("pytestmark = [\n    pytest.mark.django_db,\n    pytest.mark.postgres_only,\n]\nA = 1", "postgresql"),
        ("pytestmark = pytest.mark.django_db", None),
        ("pytestmark = pytest.mark.django_db\n\n\n@pytest.mark.sqlite_only\ndef test_one() -> None: ...", None),
        ("pytestmark = pytest.mark.sqlite_only\n\n\n@pytest.mark.postgres_only\ndef test_one() -> None: ...", None),
    ],
)
def test_a_file_is_of_one_database_if_its_head_says_so_and_no_test_says_otherwise(
    text: str, vendor: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(f"import pytest\n\n{text}\n")
    assert file_only_on(path) == vendor
