"""Texts as they were stored before each was bound to its row, and the copy of them; for migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import models, transaction

from backend.core import keyring
from backend.core.keyring import KeyRing

AT_ONCE = 500  # rows of one transaction


class UnboundTextField(models.TextField):  # type: ignore[type-arg]
    """A Fernet token, as it is stored. Whoever could write to the database could move it to another row."""


class CannotCopy(Exception):
    """Texts that no key of FIELD_KEY reads; every other was copied."""


@lru_cache(maxsize=4)
def _fernet(ring: KeyRing) -> MultiFernet:
    return MultiFernet([Fernet(key.secret.encode()) for key in ring])


def read_token(token: str) -> str:
    """Raises InvalidToken."""
    return _fernet(keyring.ring("FIELD_KEY")).decrypt(token.encode()).decode()


def make_token(text: str) -> str:
    """The way back."""
    return _fernet(keyring.ring("FIELD_KEY")).encrypt(text.encode()).decode()


def as_it_is(text: str) -> str:
    """Of a column that was not encrypted."""
    return text


def bind(
    model: type[models.Model], old: str, new: str, read: Callable[[Any], Any], *, using: str, empty: Any = ""
) -> None:
    """Move every text from the column `old` to `new`, which is bound to the row; what was moved is not met again.

    Stopped in the middle, it goes on where it was. Raises CannotCopy, at the end, with how many are left.
    """
    left: list[int] = []
    last = 0
    while ids := _after(last, model, old, using):
        last = ids[-1]
        with transaction.atomic(using):
            for row in model._base_manager.using(using).filter(pk__in=ids).select_for_update():
                if not _moved(row, old, new, read, empty):
                    left.append(row.pk)
                    continue
                row.save(using=using, update_fields=[old, new])
    if left:
        raise CannotCopy(
            f"{model._meta.label}.{new}: {len(left)} texts cannot be read, of the rows {left[:20]}. Put the missing "
            f"key back into FIELD_KEY and migrate again. What is damaged for good: empty its column {old}."
        )


def bind_all(moves: Iterable[Callable[[], None]]) -> None:
    """Each of them, and only then what could not be moved. Raises CannotCopy."""
    wrong = []
    for move in moves:
        try:
            move()
        except CannotCopy as error:
            wrong.append(str(error))
    if wrong:
        raise CannotCopy("\n".join(wrong))


def unbind(model: type[models.Model], old: str, new: str, make: Callable[[Any], Any], *, using: str) -> None:
    """The way back: every text that can be read, to `old`."""
    for row in model._base_manager.using(using).exclude(_is_empty(new)).iterator(chunk_size=AT_ONCE):
        setattr(row, old, make(getattr(row, new)))
        row.save(using=using, update_fields=[old])


def alias_of(schema_editor: Any) -> str:
    """The database that is migrated."""
    alias: str = schema_editor.connection.alias
    return alias


def _is_empty(name: str) -> models.Q:
    return models.Q(**{f"{name}__isnull": True}) | models.Q(**{name: ""})


def _after(last: int, model: type[models.Model], old: str, using: str) -> list[int]:
    waiting = model._base_manager.using(using).exclude(_is_empty(old)).filter(pk__gt=last).order_by("pk")
    return list(waiting.values_list("pk", flat=True)[:AT_ONCE])


def _moved(row: models.Model, old: str, new: str, read: Callable[[Any], Any], empty: Any) -> bool:
    try:
        setattr(row, new, read(getattr(row, old)))
    except (InvalidToken, UnicodeError):
        return False
    setattr(row, old, empty)
    return True
