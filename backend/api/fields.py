"""The fields of requests: each takes one JSON type, and asks for what it wants in one sentence.

No sentence repeats what was sent: a lone surrogate in it could not be sent back.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from django.core.validators import EmailValidator
from django.db.models import TextChoices
from rest_framework import serializers
from rest_framework.fields import empty

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def _asking(ask: str) -> dict[str, Any]:
    return dict.fromkeys(("required", "null", "blank", "invalid", "min_length"), ask)


class LineField(serializers.CharField):
    """One line of text, trimmed: no control characters, no line separators, no lone surrogates."""

    refused_categories = frozenset({"Cc", "Cs", "Zl", "Zp"})
    allowed_controls = ""

    def __init__(self, ask: str, **kwargs: Any) -> None:
        messages = {**_asking(ask), "max_length": f"{ask} At most {{max_length}} characters."}
        super().__init__(error_messages=messages, **kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        """First the type: DRF would write out a nested value to see whether it is blank, however deep it is."""
        if data is empty or data is None:
            return super().run_validation(data)
        if not isinstance(data, str):
            self.fail("invalid")
        text = data.strip()
        if any(unicodedata.category(c) in self.refused_categories and c not in self.allowed_controls for c in text):
            raise serializers.ValidationError("Please remove characters that cannot be printed.")
        return super().run_validation(text)


class ParagraphField(LineField):
    """Text of several lines."""

    refused_categories = frozenset({"Cc", "Cs"})
    allowed_controls = "\n\r\t"


class AddressField(LineField):
    """A mail address, lower-cased; that is how a person is known."""

    def __init__(self, ask: str, **kwargs: Any) -> None:
        super().__init__(ask, max_length=254, **kwargs)
        self.validators.append(EmailValidator(message=ask))

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data).lower()
        if not value.isascii():
            self.fail("invalid")
        return value


class PhoneField(LineField):
    """Ten digits."""

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not re.fullmatch(r"[0-9]{10}", value):
            self.fail("invalid")
        return value


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """The base of those that are no text."""

    def __init__(self, ask: str, **kwargs: Any) -> None:
        super().__init__(error_messages=_asking(ask), **kwargs)


class WholeNumberField(StrictField):
    """A JSON number without fraction, or its digits, from `least` to `most`."""

    def __init__(self, ask: str, *, least: int, most: int, **kwargs: Any) -> None:
        self.least, self.most = least, most
        super().__init__(ask, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and re.fullmatch(r"[0-9]{1,9}", data):
            data = int(data)
        is_whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if isinstance(data, bool) or not is_whole or not self.least <= data <= self.most:
            self.fail("invalid")
        return int(data)


class ChoiceField(StrictField):
    """One of the values of an enumeration, spelt as it is."""

    def __init__(self, ask: str, choices: type[TextChoices | StrEnum], **kwargs: Any) -> None:
        self.values = [str(choice.value) for choice in choices]
        super().__init__(ask, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.values:
            self.fail("invalid")
        return data


class ConsentField(StrictField):
    """JSON's own `true`, and nothing else."""

    def to_internal_value(self, data: Any) -> bool:
        if data is not True:
            self.fail("invalid")
        return True


class DayField(StrictField):
    """`YYYY-MM-DD`; Python alone would also take `20261124` and `2026-W48-2`."""

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", data):
            self.fail("invalid")
        try:
            return date.fromisoformat(data)
        except ValueError:
            self.fail("invalid")


class TimeOfDayField(StrictField):
    """`HH:MM`; seconds may follow and are dropped. Empty means none."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)

    def to_internal_value(self, data: Any) -> time:
        match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])(:[0-5][0-9])?", data) if isinstance(data, str) else None
        if match is None:
            self.fail("invalid")
        return time(int(match[1]), int(match[2]))


class InstantField(StrictField):
    """ISO 8601 with an offset, read as UTC; without one nobody knows which hour is meant."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not _INSTANT.fullmatch(data):
            self.fail("invalid")
        try:
            return datetime.fromisoformat(data).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")


class IdField(WholeNumberField):
    """The number of a row."""

    def __init__(self, ask: str, **kwargs: Any) -> None:
        super().__init__(ask, least=1, most=2**31 - 1, **kwargs)
