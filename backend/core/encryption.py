"""A text column that is encrypted at rest with the key ring FIELD_KEY, for its own row and column alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.db import models
from django.db.models.functions import Cast
from django.db.models.query_utils import DeferredAttribute

from backend.core import disclosures
from backend.core.sealing import CannotOpen, seal, unseal

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField

log = logging.getLogger(__name__)
_LINE = 200  # characters: what is no longer is typed into one line


class Sealed(str):
    """Ciphertext as the row holds it. Whoever asks the row for its attribute gets the text."""

    __slots__ = ()


class Unreadable(str):
    """Says that what is stored cannot be read. Stored again, it stays as it was."""

    SENTENCE = "This text cannot be read: its key is missing, or it is damaged. Please tell an operator."
    __slots__ = ("stored",)
    stored: str

    def __new__(cls, stored: str) -> Unreadable:
        made = super().__new__(cls, cls.SENTENCE)
        made.stored = stored
        return made

    def __reduce__(self) -> tuple[type[Unreadable], tuple[str]]:
        return Unreadable, (self.stored,)


class _Opener(DeferredAttribute):
    """Opens the text when it is asked for: only then is its row at hand, and most rows are never asked."""

    field: EncryptedTextField

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.__dict__[name] = self.field.stored_of(instance)
        held = instance.__dict__[name]
        if isinstance(held, Sealed):
            held = instance.__dict__[name] = self.field.opened(instance, held)
        return held

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(_TextField):
    """Sealed for table, column and the row's `row_id`, a column that never changes. Empty stays empty.

    A version of a row is bound to its instant, too. The text is read and written through its row: queries see
    ciphertext, and refuse to compare or store a text.
    """

    descriptor_class = _Opener

    def __init__(self, *args: Any, row_id: str, **kwargs: Any) -> None:
        self.row_id = row_id
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "row_id": self.row_id}

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        if self.max_length is not None and self.max_length <= _LINE:
            kwargs = {"widget": forms.TextInput, **kwargs}
        return super().formfield(*args, **kwargs)

    # -- one row's text ------------------------------------------------------------------------------------------------

    def place(self, instance: models.Model) -> str:
        """What the text of this row is bound to."""
        place = f"{self.model._meta.db_table}|{self.column}|{getattr(instance, self.row_id)}"
        at: datetime | None = getattr(instance, "history_date", None)
        return place if at is None else f"{place}|{at.astimezone(UTC).isoformat()}"

    def sealed(self, instance: models.Model, value: Any) -> Sealed:
        """As it may be stored in this row alone, under the newest key."""
        return Sealed(seal(self.to_text(value), self.place(instance)))

    def to_text(self, value: Any) -> str:
        """What is sealed of a value."""
        return str(value)

    def from_text(self, text: str) -> Any:
        """The way back."""
        return text

    def rows(self) -> models.QuerySet[models.Model]:
        """Those with a text, read with what opening it needs; `stored` is the ciphertext."""
        known = {found.name for found in self.model._meta.concrete_fields}
        needed = {self.name, self.row_id, "history_date"} & known
        rows = self.model._base_manager.exclude(**{self.name: ""}).exclude(**{f"{self.name}__isnull": True})
        told: models.QuerySet[models.Model] = rows.only(*needed).annotate(stored=Cast(self.name, models.TextField()))
        return told

    def opened(self, instance: models.Model, held: Sealed) -> Any:
        """The text, or `Unreadable`: one damaged row must not keep everything around it from being read."""
        try:
            text = unseal(held, self.place(instance))
        except CannotOpen as reason:
            log.error("cannot read %s.%s: %s", self.model._meta.label, self.name, reason)
            return Unreadable(held)
        disclosures.note(instance, self.name)
        return self.from_text(text)

    def is_readable(self, instance: models.Model, stored: str) -> bool:
        """Whether it opens; nothing is said of it."""
        try:
            unseal(stored, self.place(instance))
        except CannotOpen:
            return False
        return True

    def stored_of(self, instance: models.Model) -> str:
        """Of a row that was read without it."""
        rows = self.model._base_manager.using(instance._state.db).filter(pk=instance.pk)
        stored: str = rows.values_list(self.attname, flat=True).get()
        return stored

    # -- what Django asks ----------------------------------------------------------------------------------------------

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        held = model_instance.__dict__.get(self.attname)
        if isinstance(held, Sealed) and add:  # a copy of another row
            held = getattr(model_instance, self.attname)
        if not held or isinstance(held, Sealed | Unreadable):
            return held
        return self.sealed(model_instance, held)

    def get_prep_value(self, value: Any) -> Any:
        """Raises TypeError for a text without its row."""
        if not value:
            return self.empty()
        if isinstance(value, Unreadable):
            return value.stored
        if not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is bound to its row: set it there, and save the row.")
        return str(value)

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> Any:
        return Sealed(value) if value else self.empty()

    def empty(self) -> Any:
        """Of a row that has none."""
        return None if self.null else ""


if TYPE_CHECKING:

    class EncryptedJSONField(models.JSONField[Any, Any]):
        def __init__(self, *, blank: bool, row_id: str, null: bool = True) -> None: ...
        def sealed(self, instance: models.Model, value: Any) -> Sealed: ...

else:

    class EncryptedJSONField(EncryptedTextField):
        """A value of JSON, sealed as its text is; None where there is none."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "null": True})

        def to_text(self, value: Any) -> str:
            return json.dumps(value)

        def from_text(self, text: str) -> Any:
            return json.loads(text)


def open_texts(row: models.Model) -> None:
    """All of the row's, before what they are bound to is dressed up for a page."""
    for column in row._meta.concrete_fields:
        if isinstance(column, EncryptedTextField):
            getattr(row, column.attname)


def encrypted_columns() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """Every model that has one, with its column."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field
