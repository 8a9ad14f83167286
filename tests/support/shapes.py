"""Whether JSON has the shape that a JSON Schema describes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


def validator(shape: dict[str, Any], *, formats: bool = False) -> Validator:
    """`formats`: those of texts are looked at too.

    Imported when asked for, and without the grammars that it builds for seconds where `make security` was installed.
    """
    with patch.dict(sys.modules, {"rfc3987_syntax": None}):
        from jsonschema import Draft202012Validator as Draft
    return Draft(shape, format_checker=Draft.FORMAT_CHECKER if formats else None)
