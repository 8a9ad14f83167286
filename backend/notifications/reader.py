"""Who will read a mail: in which language, beside which clock. Frozen with its words, so that a retry says the same."""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.conf import settings

from backend.bookings.models import DataRequest
from backend.bookings.notices import OF_A_PERSON, is_to_us
from backend.core import languages
from backend.notifications.readings import Reading
from backend.outbox.models import Message


def of(message: Message, reading: Reading) -> AbstractContextManager[None]:
    """While its words are made: as the booking has it; of words that may have left already, as they were."""
    if message.context is not None and message.may_have_left:
        return as_frozen(message)
    if is_to_us(message.kind):  # we read English, and the practice's clock
        return languages.of(settings.LANGUAGE_CODE)
    language, zone = _chosen(message, reading)
    return languages.of(languages.or_default(language), zone)


def as_frozen(message: Message) -> AbstractContextManager[None]:
    """While the words that were kept become a mail."""
    said = message.context or {}
    return languages.of(str(said.get("language", settings.LANGUAGE_CODE)), str(said.get("time_zone", "")))


def _chosen(message: Message, reading: Reading) -> tuple[str, str]:
    if message.kind in OF_A_PERSON:
        rows = DataRequest.objects.filter(pk=message.subject_id or 0)
        return rows.values_list("booking__language", "booking__time_zone").first() or ("", "")
    found = next(reading.subjects(message), None)
    return (found[0].language, found[0].time_zone) if found is not None else ("", "")
