"""Where a request comes from: what strangers are counted by, and what an account sees of its own log-ins."""

from __future__ import annotations

import ipaddress
from typing import Any, Protocol

from django.conf import settings


class Asked(Protocol):
    """A request, Django's or the framework's."""

    META: dict[str, Any]


def client_network(request: Asked) -> str:
    """The asker's address as our own proxies saw it; an IPv6 asker owns a /64, so the network stands for it."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        address = forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))] or address
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
        parsed = parsed.ipv4_mapped
    return "unknown" if parsed is None else str(parsed)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Some proxies write the port too: `203.0.113.7:443`, `[2001:db8::1]:443`."""
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
