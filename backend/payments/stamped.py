"""A webhook's signature with the instant it was made at: HMAC-SHA256 over `t.body`, as Stripe has it.

https://docs.stripe.com/webhooks#verify-manually
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import timedelta

# A copied webhook is useless after this, so it may be short: every delivery is signed anew, so that one delivered a day
# late is as fresh as the first. Five minutes, as Stripe has it, cover clocks that differ.
# https://docs.stripe.com/webhooks#replay-attacks
TOLERANCE = timedelta(minutes=5)
_STAMP = re.compile(r"t=([0-9]{1,12})")
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})")  # one for each secret while it is rolled; other schemes are passed over


def sign(body: bytes, secret: str, at: float) -> str:
    """The header of a body sent at `at` (Unix seconds)."""
    stamp = int(at)
    return f"t={stamp},v1={_digest(body, secret, stamp)}"


def is_signed(body: bytes, header: str, secrets: Iterable[str], at: float) -> bool:
    """Whether `header` signs exactly these bytes with one of `secrets`, within the tolerance of `at` (Unix seconds)."""
    parts = header.split(",")
    stamps = [match[1] for part in parts if (match := _STAMP.fullmatch(part))]
    given = [match[1] for part in parts if (match := _SIGNATURE.fullmatch(part))]
    if len(stamps) != 1:
        return False
    stamp = int(stamps[0])
    wanted = [_digest(body, secret, stamp) for secret in secrets if secret]
    is_ours = any(hmac.compare_digest(one, other) for one in wanted for other in given)
    return is_ours and abs(at - stamp) <= TOLERANCE.total_seconds()


def _digest(body: bytes, secret: str, stamp: int) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
