"""The README's generated parts say what the code says."""

from __future__ import annotations

from config.local import readme


def test_the_readme_is_up_to_date() -> None:
    text = readme.README.read_text()
    assert readme.renewed(text) == text, "run `make readme`"


def test_a_stale_readme_would_be_found() -> None:
    text = readme.README.read_text()
    stale = text.replace("DRAFT --> PENDING: verify", "DRAFT --> CONFIRMED: verify")
    assert stale != text
    assert readme.renewed(stale) == text


def test_every_generated_part_is_in_the_readme() -> None:
    assert {match[2] for match in readme.BLOCK.finditer(readme.README.read_text())} == set(readme.PARTS)


def test_the_readme_stays_short() -> None:
    assert len(readme.README.read_text().splitlines()) < 200
