"""Who gives sessions, as everybody may read it: nothing of how to reach them."""

from __future__ import annotations

from dataclasses import dataclass

from backend.people.models import HoursMode, Language, Psychologist


@dataclass(frozen=True)
class Profile:
    """A psychologist's public side."""

    id: int
    name: str
    registration_number: str
    specializations: tuple[str, ...]
    languages: tuple[str, ...]
    modes: tuple[str, ...]  # ONLINE, OFFLINE


def profiles() -> list[Profile]:
    """Those who are active, by name. Four queries."""
    rows = Psychologist.objects.filter(is_active=True).order_by("full_name", "pk")
    return [_profile(row) for row in rows.prefetch_related("specializations", "languages", "working_hours")]


def languages_spoken() -> list[str]:
    """Those in which somebody gives sessions, by name. One query."""
    spoken = Language.objects.filter(psychologist__is_active=True)
    return list(spoken.distinct().order_by("name").values_list("name", flat=True))


def _profile(row: Psychologist) -> Profile:
    return Profile(
        id=row.pk,
        name=row.full_name,
        registration_number=row.registration_number,
        specializations=tuple(one.name for one in row.specializations.all()),
        languages=tuple(one.name for one in row.languages.all()),
        modes=_modes(row),
    )


def _modes(row: Psychologist) -> tuple[str, ...]:
    """What the hours are for; without hours, what there is a link or a place for."""
    offers = {hours.offers for hours in row.working_hours.all()}
    if not offers:
        offers = {HoursMode.ONLINE} if row.meeting_link else set()
        offers |= {HoursMode.OFFLINE} if row.location_id else set()
    return modes_of(*offers)


def modes_of(*offers: str) -> tuple[str, ...]:
    """The modes of a booking that these offers take."""
    modes = (HoursMode.ONLINE, HoursMode.OFFLINE)
    return tuple(mode.value for mode in modes if mode in offers or HoursMode.BOTH in offers)
