"""Environment files, in the dialect that python-dotenv reads back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values


def read(path: Path) -> dict[str, str]:
    """The variables in `path`; none when there is no such file."""
    return {name: value for name, value in dotenv_values(path).items() if value}


def write(path: Path, variables: Mapping[str, str]) -> None:
    """Replace `path` in one step, readable by its owner alone."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={_quoted(value)}\n" for name, value in variables.items()))
    draft.replace(path)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    # The reader resolves ${NAME} inside single quotes too; an unnamed variable's default is the only way to say `$`
    return "'" + escaped.replace("${", "${:-$}{") + "'"
