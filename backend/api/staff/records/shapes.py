"""The fields of rows in answers, which both render and describe them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from backend.api.responses import utc_iso
from backend.bookings.lifecycle.session_terms import fee_paise
from backend.core import formatting
from backend.people import phones


class Instant(serializers.DateTimeField):
    """UTC, as everywhere."""

    def to_representation(self, value: Any) -> Any:
        return utc_iso(value)


class Rupees(serializers.CharField):
    """Of a column of paise: two decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"help_text": "Rupees, two decimals.", **kwargs})

    def to_representation(self, value: Any) -> str:
        return formatting.rupees(value)


class Fee(Rupees):
    """What an approval asks for unless staff say otherwise."""

    def to_representation(self, value: Any) -> str:
        return formatting.rupees(fee_paise(value))


class Phone(serializers.CharField):
    """As people write it."""

    def to_representation(self, value: Any) -> str:
        return phones.shown(value)


class Ids(serializers.ListField):
    """The numbers of rows that hang on this one."""

    child = serializers.IntegerField()

    def to_representation(self, data: Any) -> list[int]:
        return sorted(row.pk for row in data.all())


def maybe_instant(**kwargs: Any) -> Instant:
    return Instant(allow_null=True, **kwargs)


def number(**kwargs: Any) -> serializers.IntegerField:
    """That may be missing."""
    return serializers.IntegerField(allow_null=True, **kwargs)


def text(**kwargs: Any) -> serializers.CharField:
    """That may be empty."""
    return serializers.CharField(allow_blank=True, **kwargs)


def booking(source: str = "booking.acknowledgement_id") -> serializers.CharField:
    """By the id that people call it by."""
    return serializers.CharField(source=source)
