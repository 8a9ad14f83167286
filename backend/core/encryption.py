"""A text column that is encrypted at rest with the key ring FIELD_KEY."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.db import models

from backend.core import keyring
from backend.core.keyring import KeyRing

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField

log = logging.getLogger(__name__)


class Unreadable(str):
    """Says that what is stored cannot be read: its key is gone, or it is damaged. Stored again, it stays as it was."""

    SENTENCE = "This text cannot be read: its key is missing, or it is damaged. Please tell an operator."
    __slots__ = ("stored",)
    stored: str

    def __new__(cls, stored: str) -> Unreadable:
        made = super().__new__(cls, cls.SENTENCE)
        made.stored = stored
        return made

    def __reduce__(self) -> tuple[type[Unreadable], tuple[str]]:
        return Unreadable, (self.stored,)


@lru_cache(maxsize=4)
def _fernet(ring: KeyRing) -> MultiFernet:
    return MultiFernet([Fernet(key.secret.encode()) for key in ring])


def decrypted(stored: str) -> str:
    """The text, or `Unreadable`: one damaged row must not keep everything around it from being read."""
    try:
        return _fernet(keyring.ring("FIELD_KEY")).decrypt(stored.encode()).decode()
    except (InvalidToken, UnicodeError):
        return Unreadable(stored)


class EncryptedTextField(_TextField):
    """Stores Fernet tokens (AES-128-CBC with HMAC-SHA256); the first key writes, every key reads. Empty stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return ""
        if isinstance(value, Unreadable):
            return value.stored
        return _fernet(keyring.ring("FIELD_KEY")).encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str:
        if not value:
            return ""
        text = decrypted(value)
        if isinstance(text, Unreadable):
            log.error("cannot read %s.%s; is FIELD_KEY complete?", self.model._meta.label, self.name)
        return text


def encrypted_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every model that has one, with its column."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field.name
