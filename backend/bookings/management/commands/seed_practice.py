"""Fills an empty practice with what a demonstration needs; run again, it adds only what is missing."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Q

from backend.bookings.models import ClosedDay
from backend.people.models import Corporate, Location, Psychologist

DESK = "desk"
SUNDAY = 6
PSYCHOLOGISTS = (  # name, address, fee in paise (none: the practice's default), meeting link
    ("Dr. Ananya Iyer", "ananya.iyer@example.org", None, "https://meet.example.org/ananya-iyer"),
    ("Dr. Rohan Mehta", "rohan.mehta@example.org", 200_000, "https://meet.example.org/rohan-mehta"),
    ("Kavita Deshpande", "kavita.deshpande@example.org", 120_000, "https://meet.example.org/kavita-deshpande"),
)
LOCATION = ("Koramangala rooms", "MindSettler, 2nd floor, 14 Example Road, Koramangala, Bengaluru 560034")
CORPORATE = ("Sahyadri Textiles", "people@sahyadri.example.org")


class Command(BaseCommand):
    help = "Make three psychologists, a location, a corporate, Sunday as closed day and the desk account, if missing."

    @transaction.atomic
    def handle(self, *_args: Any, **_options: Any) -> None:
        name, address = LOCATION
        location, is_new = Location.objects.get_or_create(name=name, defaults={"address": address})
        self._say("location", location, is_new)
        for psychologist in PSYCHOLOGISTS:
            self._say("psychologist", psychologist[0], _make_psychologist(*psychologist, location=location))
        name, email = CORPORATE
        corporate, is_new = Corporate.objects.get_or_create(name=name, defaults={"contact_email": email})
        self._say("corporate", corporate, is_new)
        closed, is_new = ClosedDay.objects.get_or_create(weekday=SUNDAY, defaults={"note": "Weekly day of rest"})
        self._say("closed day", closed, is_new)
        self._make_desk()

    def _make_desk(self) -> None:
        users = get_user_model().objects
        if users.filter(username=DESK).exists():
            self._say("account", DESK, False)
            self.stdout.write(
                f"  its password cannot be shown again; to set a new one: manage.py changepassword {DESK}"
            )
            return
        password = secrets.token_urlsafe(15)
        users.create_superuser(username=DESK, email="desk@example.org", password=password)
        self._say("account", DESK, True)
        self.stdout.write(f"  log in at /admin/ as {DESK} with the password {password} (shown this once)")

    def _say(self, kind: str, what: object, is_new: bool) -> None:
        self.stdout.write(f"{'made' if is_new else 'kept'} {kind} {what}")


def _make_psychologist(name: str, email: str, fee_paise: int | None, meeting_link: str, *, location: Location) -> bool:
    """False when somebody of this name or address exists; they are left as they are."""
    if Psychologist.objects.filter(Q(email=email) | Q(full_name=name)).exists():
        return False
    Psychologist.objects.create(
        full_name=name, email=email, fee_paise=fee_paise, meeting_link=meeting_link, location=location
    )
    return True
