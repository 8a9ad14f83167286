"""The fields of staff's requests that the site's form has not: rupees, flags, passwords."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from rest_framework import serializers

from backend.accounts import scopes
from backend.api.fields import IdField, StrictField

PAISE_MOST = 2_147_483_647  # what the columns of sums hold


class RupeesField(StrictField):
    """Rupees as text, with two decimals or none, `"1500.00"`; read as paise."""

    def to_internal_value(self, data: Any) -> int:
        match = re.fullmatch(r"([0-9]{1,8})(?:\.([0-9]{2}))?", data) if isinstance(data, str) else None
        if match is None:
            self.fail("invalid")
        paise = int(match[1]) * 100 + int(match[2] or 0)
        if paise > PAISE_MOST:
            self.fail("invalid")
        return paise


class PasswordField(StrictField):
    """Text as it is, not trimmed; at most what is worth hashing."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not 0 < len(data) <= 200 or not _can_be_sent(data):
            self.fail("invalid")
        return data


class ListedField(StrictField):
    """Values of one kind, commas between them; absent means any."""

    MOST = 100

    def __init__(self, one: serializers.Field[Any, Any, Any, Any], **kwargs: Any) -> None:
        self.one = one
        ask = f"{one.error_messages['invalid']} Several with commas between them, {self.MOST} at most."
        super().__init__(ask, **{"required": False, "default": None, **kwargs})

    def to_internal_value(self, data: Any) -> list[Any]:
        values = data.split(",") if isinstance(data, str) else []
        if not 0 < len(values) <= self.MOST:
            self.fail("invalid")
        try:
            return [self.one.run_validation(value) for value in values]
        except serializers.ValidationError:
            self.fail("invalid")


class IdsField(serializers.ListField):
    """A JSON list of ids."""

    MOST = 100

    def __init__(self, ask: str, **kwargs: Any) -> None:
        asks: dict[str, Any] = dict.fromkeys(("not_a_list", "max_length", "null", "required"), ask)
        super().__init__(child=IdField(ask), max_length=self.MOST, error_messages=asks, **kwargs)


class NamesField(StrictField):
    """Names of an answer's fields, commas between them; absent means all."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"Please name fields of the answer, commas between them: {', '.join(names)}.",
            required=False,
            default=None,
            help_text="Which fields are answered; left out, all.",
        )

    def to_internal_value(self, data: Any) -> frozenset[str]:
        found = frozenset(data.split(",")) if isinstance(data, str) else frozenset()
        if not found or not found <= set(self.names):
            self.fail("invalid")
        return found


class MonthField(StrictField):
    """`YYYY-MM`, read as its first day."""

    PATTERN = "20[0-9]{2}-(0[1-9]|1[0-2])"

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or not re.fullmatch(self.PATTERN, data):
            self.fail("invalid")
        return date.fromisoformat(f"{data}-01")


class TagField(StrictField):
    """The `ETag` of a booking as it was read; absent or `*` is any."""

    PATTERN = r'\*|"[0-9]{1,9}"'

    def __init__(self) -> None:
        super().__init__(
            'Please give the ETag as it was answered, such as "3" with its quotes.',
            required=False,
            default="*",
            help_text="The booking's `ETag` as it was read; changed since: 412 for this item.",
        )

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not re.fullmatch(self.PATTERN, data):
            self.fail("invalid")
        return data


class ScopesField(StrictField):
    """Scopes with blanks between them, kept in the order of `accounts.scopes`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"Please choose scopes: {' '.join(scopes.ALL)}.", required=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return scopes.joined(data.split(" ")) if isinstance(data, str) else self.fail("invalid")
        except ValueError:
            self.fail("invalid")


def _can_be_sent(text: str) -> bool:
    """Whether there are bytes for it: JSON can hold half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
