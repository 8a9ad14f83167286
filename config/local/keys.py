"""Keys of the local stack: made at its first start, then kept, so that links and encrypted text stay readable."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from config.local.envfile import read, write


def generate() -> dict[str, str]:
    """A fresh value for each key the settings ask for."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "TOKEN_KEY": secrets.token_hex(32),
        "FIELD_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),  # what Fernet takes
        "SANDBOX_SECRET": secrets.token_hex(32),
    }


def load_or_create(path: Path) -> dict[str, str]:
    """The keys in `path`; one that is missing is made and written there."""
    found = read(path)
    keys = {**generate(), **found}
    if keys != found:
        write(path, keys)
    return keys
