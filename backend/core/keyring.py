"""Rings of keys from the environment: the first writes, every key reads, and each has an id that is derived from it.

A row that names its key by that id survives a ring that is put in another order, or loses a key that nothing needs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings

TOKENS = "TOKEN_KEY"  # the variable whose keys derive the tokens of mailed links
ID_LENGTH = 8  # hex digits: enough to tell a handful of keys apart, and it tells nothing of a random key


@dataclass(frozen=True)
class Key:
    """One key. `id` may be stored and shown, `secret` never."""

    id: str
    secret: str

    def token(self, name: str, row: UUID) -> str:
        """HMAC-SHA256 of name and row, base64url: what the row's mail brings is derived again, and stored nowhere."""
        mac = hmac.new(self.secret.encode(), name.encode() + b"\0" + row.bytes, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


@dataclass(frozen=True)
class KeyRing:
    """The keys of one variable, newest first; never empty."""

    name: str
    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The one that writes."""
        return self.keys[0]

    def find(self, key_id: str) -> Key | None:
        """The key of this id; None when it was taken off the ring."""
        return next((key for key in self.keys if key.id == key_id), None)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)


def ring(name: str) -> KeyRing:
    """The ring in the variable `name`."""
    return _ring(name, tuple(getattr(settings, name)))


def id_of(name: str, secret: str) -> str:
    """The variable's name goes in, so that one key in two rings has two ids."""
    return hashlib.sha256(f"{name}\0{secret}".encode()).hexdigest()[:ID_LENGTH]


@lru_cache(maxsize=8)
def _ring(name: str, secrets: tuple[str, ...]) -> KeyRing:
    return KeyRing(name, tuple(Key(id_of(name, secret), secret) for secret in secrets))
