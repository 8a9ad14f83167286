"""Files of others that we keep: which version, unchanged, and with their licence."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only

FOLDERS = [path.parent for path in sorted(ROOT.glob("backend/**/vendor/*/VERSION"))]
FOLDERS += [path.parent for path in sorted(ROOT.glob("tests/**/vendor/*/VERSION"))]
LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_we_keep_of_others_is_what_its_version_says(folder: Path) -> None:
    first, *lines = (folder / "VERSION").read_text().splitlines()
    assert re.match(r"\S+ \d+\.\d+\.\d+ from npm, licence ", first)
    sums = {name: digest for digest, name in (LINE.fullmatch(line).groups() for line in lines)}  # type: ignore[union-attr]
    kept = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert kept.keys() == sums.keys() | {"VERSION", "LICENSE"}
    assert {name: kept[name] for name in sums} == sums


def test_there_is_something_to_check() -> None:
    assert FOLDERS
