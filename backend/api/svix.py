"""Whether a webhook is signed as Svix has it, by whom Resend sends: HMAC-SHA256 over `id.timestamp.body`.

https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from backend.core.webhook_signature import signature

TOLERANCE = 300  # seconds, as its own libraries have it: each delivery is signed anew


def sign(body: bytes, secret: str, *, event_id: str, at: float) -> dict[str, str]:
    """The headers of a body sent at `at` (Unix seconds)."""
    stamp = str(int(at))
    signed = signature(body, secret, event_id=event_id, stamp=stamp).decode()
    return {"svix-id": event_id, "svix-timestamp": stamp, "svix-signature": signed}


def is_signed(body: bytes, headers: Mapping[str, str], secret: str, at: float) -> bool:
    """Whether these headers sign exactly these bytes, within the tolerance of `at`."""
    event_id, stamp = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    wanted = signature(body, secret, event_id=event_id, stamp=stamp)
    given = headers.get("svix-signature", "").encode(errors="replace").split(b" ")
    is_ours = any(hmac.compare_digest(wanted, one) for one in given)
    return is_ours and abs(at - int(stamp)) <= TOLERANCE
