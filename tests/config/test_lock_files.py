"""Supply chain: what is installed is what the lock files name, and a check that found out nothing says so."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from config.local import audit, bill
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
ENTRY = re.compile(
    r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)(?: ; [^\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", re.MULTILINE
)


def pins(name: str) -> dict[str, tuple[str, str]]:
    """Version and hashes of each package in a lock file, which holds nothing else."""
    text = (ROOT / name).read_text()
    assert ENTRY.sub("", text).strip() == ""
    return {found[1]: (found[2], found[3]) for found in ENTRY.finditer(text)}


@pytest.mark.parametrize("name", audit.LOCK_FILES)
def test_every_package_is_pinned_with_its_hashes(name: str) -> None:
    found = pins(name)
    assert found
    assert [package for package, (_, hashes) in found.items() if not hashes] == []


def test_no_package_is_installed_in_two_versions() -> None:
    versions: dict[str, set[str]] = {}
    for name in audit.LOCK_FILES:
        for package, (version, _) in pins(name).items():
            versions.setdefault(package, set()).add(version)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_the_lock_files_have_the_versions_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = {"requirements.txt": project["project"]["dependencies"]}
    groups |= {f"requirements-{name}.txt": wanted for name, wanted in project["dependency-groups"].items()}
    for name, wanted in groups.items():
        named = dict(re.sub(r"\[[a-z,]+\]", "", line).split("==") for line in wanted)
        assert {package: pins(name)[package][0] for package in named} == named


def test_nothing_is_installed_without_a_hash() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", "")
    installs = re.findall(r"(?:pip|PIP\)|--isolated) install [^|;}]*", makefile)
    assert len(installs) == 5
    assert [line for line in installs if "--require-hashes" not in line] == []


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        "{}",
        '{"dependencies": []}',
        '{"dependencies": [{"name": "a", "skip_reason": "not on the index"}]}',
    ],
)
def test_an_audit_that_was_told_nothing_fails(answer: str) -> None:
    with pytest.raises(audit.Unanswered):
        audit.read(answer, otherwise="ERROR: no connection")


def test_a_vulnerability_is_told_with_the_release_that_mends_it() -> None:
    package = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    assert audit.read(json.dumps({"dependencies": [package]}), otherwise="") == ["a 1: CVE-1, mended in 2"]


def test_the_bill_names_the_scripts_of_others_that_are_kept_here() -> None:
    (path,) = ROOT.glob("backend/**/vendor/event-calendar/VERSION")
    found = bill.vendored(path)
    assert found["purl"] == f"pkg:npm/%40event-calendar/build@{found['version']}"
    assert found["licenses"] == [{"license": {"id": "MIT"}}]
    assert {file["name"] for file in found["components"]} == {"event-calendar.min.js", "event-calendar.min.css"}
