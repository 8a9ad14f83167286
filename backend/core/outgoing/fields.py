"""Reads what another service sends: JSON, each field by its type, and each text bounded by the column that takes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

ID_LONGEST = (
    255  # what our columns hold of another service's ids: what Stripe promises; those in use have 20 to 66 characters
)
_MAX_PAISE = 2**31 - 1  # what our own columns hold
_MAX_SECONDS = 2**35  # of a Unix instant: some hundred years more than anybody asks about
_Read = TypeVar("_Read")
_Member = TypeVar("_Member", bound=StrEnum)


class Malformed(ValueError):
    """JSON that does not have the promised shape; the message names the field."""


class Unfit(Malformed):
    """A text that none of our columns takes: too long, or not printable, as NUL or half a character."""


@dataclass(frozen=True)
class Fields:
    """Typed reading of one JSON object; a field that is missing or of another type raises `Malformed`."""

    data: dict[str, object]

    @classmethod
    def parse(cls, body: bytes) -> Fields:
        """Read a body that must be a JSON object."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Malformed("not JSON") from error
        if not isinstance(data, dict):
            raise Malformed("not a JSON object")
        return cls(data)

    def text(self, name: str, *, longest: int = ID_LONGEST) -> str:
        """Raises `Unfit` too."""
        value = self.data.get(name)
        if not isinstance(value, str):
            raise Malformed(f"{name}: not a text")
        if len(value) > longest or not value.isprintable():
            raise Unfit(f"{name}: too long, or not printable")
        return value

    def text_or_empty(self, name: str, *, longest: int = ID_LONGEST) -> str:
        """Empty for one that is missing or null. Raises `Unfit` too."""
        return "" if self.data.get(name) is None else self.text(name, longest=longest)

    def id(self, name: str) -> str:
        """A text that names something. Raises `Unfit` too."""
        value = self.text(name)
        if not value:
            raise Malformed(f"{name}: empty")
        return value

    def name(self) -> str:
        """What it is called, where it says so; "" if that is missing or does not fit."""
        try:
            return next(filter(None, map(self.text_or_empty, ("id", "capture_id", "entity_id"))), "")
        except Malformed:
            return ""

    def paise(self, name: str, *, least: int = 1) -> int:
        value = self.data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MAX_PAISE:
            raise Malformed(f"{name}: not a whole number of paise from {least} on")
        return value

    def whole(self, name: str) -> int:
        value = self.data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MAX_PAISE:
            raise Malformed(f"{name}: not a whole number of paise")
        return value

    def whole_or_none(self, name: str) -> int | None:
        """None for one that is missing or null."""
        return None if self.data.get(name) is None else self.whole(name)

    def moment(self, name: str) -> datetime:
        """An aware instant, written as ISO 8601."""
        try:
            value = datetime.fromisoformat(self.text(name))
        except ValueError as error:
            raise Malformed(f"{name}: not an instant") from error
        if value.tzinfo is None:
            raise Malformed(f"{name}: an instant without its offset")
        return value

    def unix(self, name: str) -> datetime | None:
        """An aware instant, written as whole Unix seconds; None for one that is missing, null or 0."""
        value = self.data.get(name) or 0
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MAX_SECONDS:
            raise Malformed(f"{name}: not Unix seconds")
        return datetime.fromtimestamp(value, UTC) if value else None

    def items(self, name: str = "items") -> list[Fields]:
        """What is no object in the list has no fields."""
        value = self.data.get(name)
        if not isinstance(value, list):
            raise Malformed(f"{name}: not a list")
        return [Fields(item if isinstance(item, dict) else {}) for item in value]

    def currency(self) -> str:
        value = self.text("currency")
        if not re.fullmatch(r"[A-Z]{3}", value):
            raise Malformed("currency: not three capital letters")
        return value

    def part(self, *names: str) -> Fields:
        """The object at a name, or at the end of a path of names."""
        found = self
        for name in names:
            value = found.data.get(name)
            if not isinstance(value, dict):
                raise Malformed(f"{name}: not an object")
            found = Fields(value)
        return found


def read_each(items: Iterable[Fields], reader: Callable[[Fields], _Read]) -> tuple[list[_Read], list[str]]:
    """What can be read of a listing, and the name of each other item with what is wrong with it."""
    read: list[_Read] = []
    unreadable: list[str] = []
    for item in items:
        try:
            read.append(reader(item))
        except Malformed as error:
            unreadable.append(unreadable_item(item, error))
    return read, unreadable


def unreadable_item(item: Fields, why: Exception) -> str:
    """How an item that cannot be read is told of."""
    return f"{item.name() or 'an item'}: {why}"


def member(kind: type[_Member], value: str) -> _Member:
    """The value as a member of `kind`. Raises `Malformed`."""
    try:
        return kind(value)
    except ValueError as error:
        raise Malformed(f"{value!r}: not one of {', '.join(kind)}") from error
