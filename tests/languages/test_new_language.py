"""Adding a language is a file: a dry run in a copy of the sources, with the files that it touches."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core import languages
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only

NEW, ITS_NAME, ASKED, SAID = "ta", "தமிழ்", "Leave this page", "இந்தப் பக்கத்தை விட்டு வெளியேறு"
PAGE = """
from django.test import Client
print(Client(headers={"host": "localhost"}).get("/visit/enquiry/", {"language": "ta"}).content.decode())
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("backend", "config", "workers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    return tmp_path


def files(folder: Path) -> dict[str, str]:
    """What each holds, as a digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "var" not in path.parts
    }


def run(folder: Path, *command: str) -> str:
    """What a program of the copy prints."""
    given = {**os.environ, "PYTHONPATH": "", "VAR_DIR": str(folder / "var"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_language_is_two_files_and_no_line_of_code(copy: Path) -> None:
    assert NEW not in languages.codes()
    before = files(copy)
    told = run(copy, "-m", "config.local.messages", "--new", NEW)
    begun = re.search(rf"^{NEW}: (\d+) sentences, (\d+) to translate$", told, re.MULTILINE)
    assert begun is not None
    assert begun[1] == begun[2]
    po = copy / "backend" / "locale" / NEW / "LC_MESSAGES" / "django.po"
    po.write_text(po.read_text().replace(f'msgid "{ASKED}"\nmsgstr ""', f'msgid "{ASKED}"\nmsgstr "{SAID}"'))
    assert f"{NEW}: {begun[1]} sentences, {int(begun[1]) - 1} to translate" in run(copy, "-m", "config.local.messages")
    after = files(copy)
    touched = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert touched == {f"backend/locale/{NEW}/LC_MESSAGES/django.{kind}" for kind in ("mo", "po")}
    page = run(copy, "manage.py", "shell", "-v0", "-c", PAGE)
    assert f'<html lang="{NEW}"' in page
    assert SAID in page
    assert "Send" in page  # what is not translated yet is told in English
    assert f'<span lang="{NEW}" aria-current="true">{ITS_NAME}</span>' in page
