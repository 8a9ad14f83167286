"""Texts encrypted for one place: table, column and row. Moved to another, a ciphertext is refused.

AES-256-GCM takes the place as associated data, so that nothing about it is stored twice. What is stored names its key,
`1:<key id>:<nonce and ciphertext in base64>`: which texts still need an older key is a question to the database.
"""

from __future__ import annotations

import base64
import binascii
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.core import keyring

RING = "FIELD_KEY"
_VERSION = "1"
_NONCE_BYTES = 12  # drawn at random for each text: NIST SP 800-38D, 8.2.2, good for 2^32 texts a key


class CannotOpen(Exception):
    """A stored text is not what was sealed here; the message says why, and quotes nothing."""


def seal(text: str, place: str) -> str:
    """What may be stored at `place` and nowhere else, under the newest key."""
    key, nonce = keyring.ring(RING).newest, os.urandom(_NONCE_BYTES)
    sealed = nonce + _cipher(key.secret).encrypt(nonce, text.encode(), place.encode())
    return f"{newest_prefix()}{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(stored: str, place: str) -> str:
    """The text. Raises CannotOpen."""
    version, _, rest = stored.partition(":")
    key_id, _, coded = rest.partition(":")
    if version != _VERSION or not coded:
        raise CannotOpen("it is not bound to a row")
    key = keyring.ring(RING).find(key_id)
    if key is None:
        raise CannotOpen(f"its key {key_id} is not in {RING}")
    try:
        sealed = base64.urlsafe_b64decode(coded)
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return _cipher(key.secret).decrypt(nonce, ciphertext, place.encode()).decode()
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise CannotOpen("it is damaged, or was moved here from another row or column") from error


def newest_prefix() -> str:
    """How every text begins that the newest key sealed."""
    return f"{_VERSION}:{keyring.ring(RING).newest.id}:"


@lru_cache(maxsize=8)
def _cipher(secret: str) -> AESGCM:
    """Under a key of its own, derived, because the ring's keys sealed texts in another way before."""
    derived = HKDF(SHA256(), length=32, salt=None, info=b"text bound to its row")
    return AESGCM(derived.derive(base64.urlsafe_b64decode(secret)))
