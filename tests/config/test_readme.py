"""The generated parts of README and docs say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.local import readme

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize("path", readme.FILES, ids=lambda path: path.name)
def test_generated_parts_are_up_to_date(path: Path) -> None:
    text = path.read_text()
    assert readme.renewed(text) == text, "run `make readme`"


def test_a_stale_readme_would_be_found() -> None:
    text = readme.README.read_text()
    stale = text.replace("DRAFT --> PENDING: verify", "DRAFT --> CONFIRMED: verify")
    assert stale != text
    assert readme.renewed(stale) == text


def test_every_generated_part_has_its_place() -> None:
    found = {match[2] for path in readme.FILES for match in readme.BLOCK.finditer(path.read_text())}
    assert found == set(readme.PARTS)


def test_the_readme_stays_short() -> None:
    assert len(readme.README.read_text().splitlines()) < 200
