"""Fills an empty practice with what a demonstration needs; run again, it adds only what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backend.bookings.models import ClosedDay
from backend.core.commands import ReleasedCommand
from backend.desk.management.commands import _development_account
from backend.desk.management.commands._sample import Sample
from backend.people.models import Corporate, HoursMode, Language, Location, Psychologist, Specialization, WorkingHours

DESK = _development_account.NAME
SUNDAY = 6
WORKDAYS, ALL_DAYS = range(5), range(7)
LOCATION = ("Koramangala rooms", "MindSettler, 2nd floor, 14 Example Road, Koramangala, Bengaluru 560034")
CORPORATE = ("Sahyadri Textiles", "people@sahyadri.example.org", "SAHYADRI-7Q4K", 40)  # its code, sessions a month


@dataclass(frozen=True)
class Person:
    """A psychologist. No fee: the practice's default. Hours: days of the week, from, until, and for which mode."""

    name: str
    fee_paise: int | None
    registration_number: str
    languages: tuple[str, ...]
    specializations: tuple[str, ...]
    hours: tuple[tuple[Iterable[int], str, str, HoursMode], ...]

    @property
    def email(self) -> str:
        return f"{self._slug('.')}@example.org"

    @property
    def meeting_link(self) -> str:
        return f"https://meet.example.org/{self._slug('-')}"

    def _slug(self, between: str) -> str:
        return self.name.removeprefix("Dr. ").lower().replace(" ", between)


PSYCHOLOGISTS = (
    Person(
        "Dr. Ananya Iyer", None, "CRR A00001", ("English", "Hindi", "Tamil"), ("Anxiety", "Grief"),
        ((WORKDAYS, "10:00", "13:45", HoursMode.ONLINE), (WORKDAYS, "15:00", "20:00", HoursMode.BOTH)),
    ),
    Person(
        "Dr. Rohan Mehta", 200_000, "CRR A00002", ("English", "Hindi", "Marathi"), ("Couples", "Depression"),
        ((range(6), "09:00", "17:45", HoursMode.ONLINE),),
    ),
    Person(
        "Kavita Deshpande", 120_000, "CRR A00003", ("English", "Kannada"), ("Adolescents", "Anxiety"),
        ((range(1, 6), "12:00", "20:45", HoursMode.BOTH),),
    ),
    Person(
        "Dr. Sunil Rao", None, "CRR A00004", ("English", "Kannada", "Telugu"), ("Addiction", "Depression"),
        ((ALL_DAYS, "09:00", "19:00", HoursMode.BOTH),),
    ),
)  # fmt: skip


class Command(ReleasedCommand):
    help = (
        "Make four psychologists with their hours, a location, a corporate, Sunday as closed day and the desk account, "
        "if missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bookings", type=int, default=0, help="also make so many bookings, in every state")
        parser.add_argument("--hostile", action="store_true", help="some of the visitors write markup for a name")

    @transaction.atomic
    def handle(self, *_args: Any, bookings: int = 0, hostile: bool = False, **_options: Any) -> None:
        if bookings and not settings.DEBUG:
            raise CommandError("Bookings that nobody asked for have no place in a real practice: only with DEBUG.")
        name, address = LOCATION
        location, is_new = Location.objects.get_or_create(name=name, defaults={"address": address})
        self._say("location", location, is_new)
        for person in PSYCHOLOGISTS:
            self._say("psychologist", person.name, _make_psychologist(person, location))
        name, email, code, sessions = CORPORATE
        contract = {"contact_email": email, "code": code, "sessions_a_month": sessions}
        corporate, is_new = Corporate.objects.get_or_create(name=name, defaults=contract)
        self._say("corporate", corporate, is_new)
        closed, is_new = ClosedDay.objects.get_or_create(weekday=SUNDAY, defaults={"note": "Weekly day of rest"})
        self._say("closed day", closed, is_new)
        self._make_desk()
        if bookings:
            sample = Sample(now=timezone.now(), is_hostile=hostile)
            sample.make(bookings)
            self.stdout.write(f"made {bookings} bookings")
            if not sample.gateway_answers:
                self.stdout.write("the gateway does not answer: it knows none of their payments")

    def _make_desk(self) -> None:
        """Its password and secret are printed, so it is no account for a real practice."""
        if not settings.DEBUG:
            self.stdout.write("no account: with DEBUG off, manage.py first_owner makes one")
            return
        made = _development_account.make()
        self._say("account", DESK, made is not None)
        if made is None:
            self.stdout.write(
                f"  its password cannot be shown again; to set a new one: manage.py changepassword {DESK}\n"
                "  the code of its second factor: manage.py development_code"
            )
            return
        self.stdout.write(
            "  FOR DEVELOPMENT ALONE: everything about this account is printed here\n"
            f"  log in at /admin/ as {DESK} with the password {made.password} (shown this once)\n"
            f"  its second factor is the secret {made.secret} in an authenticator app, {made.uri}\n"
            "  or, without an app, the code that manage.py development_code prints"
        )

    def _say(self, kind: str, what: object, is_new: bool) -> None:
        self.stdout.write(f"{'made' if is_new else 'kept'} {kind} {what}")


def _make_psychologist(person: Person, location: Location) -> bool:
    """False when somebody of this name or address exists; they are left as they are."""
    if Psychologist.objects.filter(Q(email=person.email) | Q(full_name=person.name)).exists():
        return False
    made = Psychologist.objects.create(
        full_name=person.name,
        email=person.email,
        fee_paise=person.fee_paise,
        meeting_link=person.meeting_link,
        registration_number=person.registration_number,
        location=location,
    )
    made.languages.set([Language.objects.get_or_create(name=name)[0] for name in person.languages])
    made.specializations.set([Specialization.objects.get_or_create(name=name)[0] for name in person.specializations])
    WorkingHours.objects.bulk_create(
        WorkingHours(
            psychologist=made,
            weekday=weekday,
            starts_at=time.fromisoformat(starts_at),
            ends_at=time.fromisoformat(ends_at),
            offers=offers,
        )
        for weekdays, starts_at, ends_at, offers in person.hours
        for weekday in weekdays
    )
    return True
