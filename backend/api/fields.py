"""The fields of requests: each takes one JSON type, and asks for what it wants in one sentence.

No sentence repeats what was sent: a lone surrogate in it could not be sent back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.db.models import TextChoices
from django.utils.translation import gettext_noop
from rest_framework import serializers
from rest_framework.fields import empty

from backend.people import intake

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def _asking(ask: str) -> dict[str, Any]:
    return dict.fromkeys(("required", "null", "blank", "invalid", "min_length"), ask)


class LineField(serializers.CharField):
    """One line of text, trimmed, of what can be printed."""

    has_paragraphs = False

    def __init__(self, ask: str, **kwargs: Any) -> None:
        messages = {**_asking(ask), "max_length": intake.too_long(ask)}
        super().__init__(error_messages=messages, **kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        """First the type: DRF would write out a nested value to see whether it is blank, however deep it is."""
        if data is empty or data is None:
            return super().run_validation(data)
        if not isinstance(data, str):
            self.fail("invalid")
        text = data.strip()
        if not intake.is_printable(text, has_paragraphs=self.has_paragraphs):
            raise serializers.ValidationError(intake.UNPRINTABLE)
        return super().run_validation(text if intake.visible_signs(text) else "")


class ParagraphField(LineField):
    """Text of several lines."""

    has_paragraphs = True


class IntakeField(LineField):
    """The answer to one of the questions that we ask whoever wants a session."""

    def __init__(self, question: intake.TextQuestion, **kwargs: Any) -> None:
        self.question, self.has_paragraphs = question, question.has_paragraphs
        least = {} if question.is_optional else {"min_length": question.shortest}
        optional = {"required": False, "allow_blank": True, "allow_null": True, "default": ""}
        given = {**(optional if question.is_optional else {}), **least, **kwargs}
        super().__init__(question.ask, max_length=question.longest, **given)

    def to_internal_value(self, data: Any) -> str:
        return self.question.parse(super().to_internal_value(data))


class EmailAddressField(IntakeField):
    """A mail address, as a person is known by."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(intake.EMAIL, **kwargs)


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """The base of those that are no text."""

    def __init__(self, ask: str, **kwargs: Any) -> None:
        super().__init__(error_messages=_asking(ask), **kwargs)


class WholeNumberField(StrictField):
    """A JSON number without fraction, or its digits, from `least` to `most`."""

    def __init__(self, ask: str, *, least: int, most: int, **kwargs: Any) -> None:
        self.least, self.most, self.question = least, most, intake.NumberQuestion(ask, least, most)
        super().__init__(ask, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        return self.question.parse(data)


class ChoiceField(StrictField):
    """One of the values of an enumeration, or of some of its members, spelt as it is.

    `may_grow`: with a deployment, so that a program which was made before must be able to send what it is told.
    """

    def __init__(
        self,
        ask: str,
        choices: type[TextChoices | StrEnum] | Sequence[StrEnum],
        *,
        may_grow: bool = False,
        **kwargs: Any,
    ) -> None:
        self.values = [str(choice.value) for choice in choices]
        self.words, self.may_grow = choices, may_grow
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


class FlagField(StrictField):
    """JSON's `true` or `false`; absent means `default`."""

    def __init__(self, ask: str, *, default: bool = False, help_text: str | None = None) -> None:
        super().__init__(ask, required=False, default=default, help_text=help_text)

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


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
    """`HH:MM`; empty means none."""

    def __init__(self, question: intake.TimeQuestion) -> None:
        self.question = question
        super().__init__(question.ask, required=False, allow_null=True, default=None)

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)

    def to_internal_value(self, data: Any) -> time:
        return self.question.parse(data)


class ClockField(StrictField):
    """`HH:MM`, and nothing else."""

    PATTERN = "([01][0-9]|2[0-3]):[0-5][0-9]"

    def to_internal_value(self, data: Any) -> time:
        if not isinstance(data, str) or not re.fullmatch(self.PATTERN, data):
            self.fail("invalid")
        return time.fromisoformat(data)


class InstantField(StrictField):
    """ISO 8601 with an offset, read as UTC; without one nobody knows which hour is meant."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not _INSTANT.fullmatch(data):
            self.fail("invalid")
        try:
            return datetime.fromisoformat(data).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")


class ZoneField(StrictField):
    """The IANA name of a time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(gettext_noop("Please write the time zone as its IANA name, such as Asia/Kolkata."), **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in _zones():
            self.fail("invalid")
        return data


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class IdField(WholeNumberField):
    """The number of a row."""

    def __init__(self, ask: str, **kwargs: Any) -> None:
        super().__init__(ask, least=1, most=2**31 - 1, **kwargs)
