"""Whether Razorpay signed a webhook: hex HMAC-SHA256 of the raw body. It signs no time, so nothing ages.

https://razorpay.com/docs/webhooks/validate-test
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

HEADER = "x-razorpay-signature"


def sign(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """By any of the secrets: an event that was refused when the secret was another comes again with the old one."""
    given = signature.encode(errors="surrogatepass")  # as bytes, for texts that are not ASCII cannot be compared
    return any(hmac.compare_digest(sign(body, secret).encode(), given) for secret in secrets if secret)
