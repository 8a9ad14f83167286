"""A text column that is encrypted at rest with the key ring FIELD_KEY."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, MultiFernet
from django.db import models

from backend.core import keyring
from backend.core.keyring import KeyRing

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


@lru_cache(maxsize=4)
def _fernet(ring: KeyRing) -> MultiFernet:
    return MultiFernet([Fernet(key.secret.encode()) for key in ring])


class EncryptedTextField(_TextField):
    """Stores Fernet tokens (AES-128-CBC with HMAC-SHA256); the first key writes, every key reads. Empty stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return ""
        return _fernet(keyring.ring("FIELD_KEY")).encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str:
        if not value:
            return ""
        return _fernet(keyring.ring("FIELD_KEY")).decrypt(value.encode()).decode()
