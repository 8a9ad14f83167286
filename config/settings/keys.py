"""The secrets of this backend itself."""

from __future__ import annotations

from cryptography.fernet import Fernet

from backend.core import environment as env
from backend.core.environment import Misconfigured

SECRET_KEY = env.text(
    "SECRET_KEY",
    "Django's key, at least 50 random characters",
    shown_default="required",
    example="`openssl rand -base64 48`",
)
TOKEN_KEY = env.listing(
    "TOKEN_KEY",
    "keys of mailed links, newest first; an old one stays while a mail that it signed waits",
    shown_default="required",
    example="`openssl rand -hex 32`",
)
FIELD_KEY = env.listing(
    "FIELD_KEY",
    "Fernet keys of encrypted text, newest first",
    shown_default="required",
    example="`openssl rand -base64 32`",
)
for _name, _value in (("SECRET_KEY", SECRET_KEY), ("TOKEN_KEY", TOKEN_KEY), ("FIELD_KEY", FIELD_KEY)):
    if not _value:
        raise Misconfigured(
            f"{_name} is not set. `make run` makes keys of its own; a production environment must give them."
        )

try:
    for _value in FIELD_KEY:
        Fernet(_value)
except ValueError as _error:
    raise Misconfigured(
        "FIELD_KEY: each key must be 32 random bytes in base64, as `openssl rand -base64 32` prints."
    ) from _error
