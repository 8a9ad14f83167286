"""Files that code of this process opens for writing, wherever they lie."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@contextmanager
def watched() -> Iterator[set[Path]]:
    """Filled within the block."""
    found: set[Path] = set()
    real, real_os = builtins.open, os.open

    def opened(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if set(mode) & set("wax+") and not isinstance(file, int):
            found.add(Path(os.fsdecode(file)))
        return real(file, mode, *arguments, **options)

    def os_opened(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & WRITES:
            found.add(Path(os.fsdecode(path)))
        return real_os(path, flags, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "open", opened)
        patch.setattr(io, "open", opened)
        patch.setattr(os, "open", os_opened)
        yield found


def texts_of(paths: set[Path]) -> str:
    """What stands in those that are still there."""
    return "\n".join(path.read_bytes().decode("latin-1") for path in sorted(paths) if path.is_file())
