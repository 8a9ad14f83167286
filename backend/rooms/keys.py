"""How the private key of the hosted Jitsi stands in an environment: a variable has one line."""

from __future__ import annotations

import base64


def private_key(secret: str) -> bytes:
    """The PEM file that JITSI_SECRET holds. Raises ValueError when that is no base64."""
    return base64.b64decode(secret, validate=True)
