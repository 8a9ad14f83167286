"""Visitors who share this machine, each at an address of their own, as a proxy in front would name it."""

from __future__ import annotations

import hashlib


def forwarded_for(who: str) -> dict[str, str]:
    """The header for somebody; the service must trust one proxy. Addresses for documentation: RFC 3849."""
    sign = hashlib.sha256(who.encode()).hexdigest()
    return {"X-Forwarded-For": f"2001:db8:{sign[:4]}:{sign[4:8]}::1"}
