"""The signature of Standard Webhooks, which Svix has, too: HMAC-SHA256 over `id.timestamp.body`.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
_BYTES = 32  # the standard has 24 to 64


def new_secret() -> str:
    """A secret nobody has."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(body: bytes, secret: str, *, event_id: str, stamp: str) -> bytes:
    """`v1,` and the digest. Raises ValueError for a secret that is no base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX) + "==")
    signed = f"{event_id}.{stamp}.".encode(errors="replace") + body
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
