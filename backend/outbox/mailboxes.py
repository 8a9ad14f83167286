"""Which mailbox an address leads to, for counting alone: mail goes to the address as it was given."""

from __future__ import annotations


def mailbox_of(address: str) -> str:
    """`asha@example.org` for `asha+work@example.org`: most servers deliver both to one person (RFC 5233)."""
    name, at, domain = address.rpartition("@")
    return f"{name.partition('+')[0] or name}{at}{domain}"
