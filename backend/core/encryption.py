"""A text column that is encrypted at rest with the key ring FIELD_KEY."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


@lru_cache(maxsize=4)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.encode()) for key in keys])


class EncryptedTextField(_TextField):
    """Stores Fernet tokens (AES-128-CBC with HMAC-SHA256); the first key writes, every key reads. Empty stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return ""
        return _ring(tuple(settings.FIELD_KEY)).encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str:
        if not value:
            return ""
        return _ring(tuple(settings.FIELD_KEY)).decrypt(value.encode()).decode()
