"""Why nobody could book a psychologist, as whoever saves their page should know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db.models import Q

from backend.people.models import HoursMode, Psychologist


def obstacles(psychologist: Psychologist, *, today: date) -> Iterator[str]:
    """Sentences; none for who is not active, which is meant."""
    if not psychologist.is_active:
        return
    ahead = psychologist.working_hours.filter(Q(day=None) | Q(day__gte=today))
    offers = set(ahead.values_list("offers", flat=True))
    if not offers:
        yield "There are no working hours, so visitors are offered no time."
    is_online = not offers or bool(offers & {HoursMode.ONLINE, HoursMode.BOTH})
    if is_online and not psychologist.meeting_link:
        yield "There is no meeting link, so a session online can only be approved with one of its own."
