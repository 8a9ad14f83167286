"""The signature of Standard Webhooks, which Svix has, too, by other names: HMAC-SHA256 over `id.timestamp.body`.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"
_BYTES = 32  # the standard has 24 to 64
TOLERANCE = 300  # seconds, as its own libraries have it: each delivery is signed anew
STANDARD, SVIX = "webhook", "svix"  # how the names of the headers begin


def new_secret() -> str:
    """A secret nobody has."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(body: bytes, secret: str, *, event_id: str, stamp: str) -> bytes:
    """`v1,` and the digest. Raises ValueError for a secret that is no base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX) + "==")
    signed = f"{event_id}.{stamp}.".encode(errors="replace") + body
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def signed_headers(body: bytes, secret: str, *, event_id: str, at: float, prefix: str = STANDARD) -> dict[str, str]:
    """The headers of a body sent at `at` (Unix seconds)."""
    stamp = str(int(at))
    signed = signature(body, secret, event_id=event_id, stamp=stamp).decode()
    return {f"{prefix}-id": event_id, f"{prefix}-timestamp": stamp, f"{prefix}-signature": signed}


def is_signed(body: bytes, headers: Mapping[str, str], secret: str, *, at: float, prefix: str = STANDARD) -> bool:
    """Whether these headers sign exactly these bytes, within the tolerance of `at`."""
    event_id, stamp = headers.get(f"{prefix}-id", ""), headers.get(f"{prefix}-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    wanted = signature(body, secret, event_id=event_id, stamp=stamp)
    given = headers.get(f"{prefix}-signature", "").encode(errors="replace").split(b" ")
    is_ours = any(hmac.compare_digest(wanted, one) for one in given)
    return is_ours and abs(at - int(stamp)) <= TOLERANCE
