"""A session in somebody's calendar: as a message that calendars act on (iTIP, RFC 5546), or as a file to import.

It says when and where, and nothing of what for: it shows on lock screens, and in calendars that a family shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parseaddr
from enum import StrEnum
from functools import cache

from django.conf import settings
from django.utils.translation import gettext
from icalendar import Alarm, Calendar, Event, Timezone, vCalAddress, vText

from backend.core.formatting import practice_zone

ALARM_BEFORE = timedelta(minutes=30)  # time to find a quiet place; our last reminder comes by mail, REMIND_LAST before
_ZONE_FROM, _ZONE_UNTIL = date(2020, 1, 1), date(2038, 1, 1)


class Method(StrEnum):
    """What a calendar is to do with an entry."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"  # make it, or replace what has its UID and a lower SEQUENCE
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class Entry:
    """A session as a calendar has it. `sequence` grows with every step of its booking."""

    acknowledgement_id: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    place: str = ""


def calendar_invite(entry: Entry, method: Method, *, domain: str, stamped_at: datetime, attendee: str = "") -> bytes:
    """The entry for `attendee`, or for whoever imports it. One UID a message: calendars take no second one."""
    calendar = Calendar()
    calendar.add("prodid", "-//Appointments//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(vtimezone(practice_zone().key))
    calendar.add_component(_event(entry, method, domain=domain, stamped_at=stamped_at, attendee=attendee))
    return bytes(calendar.to_ical())


@cache
def vtimezone(name: str) -> Timezone:
    """The zone's rules, for calendars that know it by another name."""
    zone = Timezone.from_tzid(name, first_date=_ZONE_FROM, last_date=_ZONE_UNTIL)
    zone.pop("COMMENT", None)
    return zone


def plain_event(entry: Entry, summary: str, *, domain: str, stamped_at: datetime) -> Event:
    """What every calendar needs of a session, on the practice's clock."""
    event = Event()
    event.add("uid", f"{entry.acknowledgement_id}@{domain}")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", stamped_at.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", entry.starts_at.astimezone(practice_zone()))
    event.add("dtend", entry.ends_at.astimezone(practice_zone()))
    event.add("summary", summary)
    if entry.place:
        event.add("location", entry.place)
    event.add("class", "PRIVATE")
    return event


def _event(entry: Entry, method: Method, *, domain: str, stamped_at: datetime, attendee: str) -> Event:
    summary = gettext("Appointment {acknowledgement_id}").format(acknowledgement_id=entry.acknowledgement_id)
    event = plain_event(entry, summary, domain=domain, stamped_at=stamped_at)
    event.add("organizer", vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"))
    event.add("status", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    if attendee:
        event.add("attendee", _attendee(attendee))
    if method is not Method.CANCEL:
        event.add_component(_alarm(summary))
    return event


def _attendee(address: str) -> vCalAddress:
    """Who has agreed already: nobody reads an answer."""
    attendee = vCalAddress(f"mailto:{address}")
    for name, value in (
        ("cutype", "INDIVIDUAL"),
        ("role", "REQ-PARTICIPANT"),
        ("partstat", "ACCEPTED"),
        ("rsvp", "FALSE"),
    ):
        attendee.params[name] = vText(value)
    return attendee


def _alarm(summary: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -ALARM_BEFORE)
    alarm.add("description", summary)
    return alarm
