"""What two pages of the desk share stands in one template, which both include."""

from __future__ import annotations

from collections import defaultdict

from tests.support.server import ROOT

PAGES = ROOT / "backend" / "desk" / "templates"
LINES, SIGNS = 5, 250  # of a block that is worth an include


def shared_blocks(pages: dict[str, str]) -> set[tuple[str, ...]]:
    """The names of those in which the same block stands."""
    stands: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for name, text in pages.items():
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        for at in range(len(lines) - LINES + 1):
            stands[tuple(lines[at : at + LINES])].add(name)
    found = {block: names for block, names in stands.items() if sum(map(len, block)) >= SIGNS}
    return {tuple(sorted(names)) for names in found.values() if len(names) > 1}


def test_no_block_stands_in_two_templates() -> None:
    pages = {str(path.relative_to(PAGES)): path.read_text() for path in PAGES.rglob("*.html")}
    assert len(pages) > 40
    assert shared_blocks(pages) == set()


def test_a_block_that_was_copied_is_found() -> None:
    block = "\n".join(f"<p>{'x' * SIGNS}{line}</p>" for line in range(LINES))
    assert shared_blocks({"a": block, "b": f"<div>\n{block}\n</div>", "c": "<p></p>"}) == {("a", "b")}
