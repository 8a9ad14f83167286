"""A mail's calendar entry as two readers understand it that share no code, and the calendar that a person then has."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Mime
from typing import Any

from ical.calendar_stream import CalendarStream
from icalendar import Calendar

from tests.support import calendar_lint


@dataclass(frozen=True)
class Told:
    """What a calendar acts on."""

    method: str
    uid: str
    sequence: int
    status: str
    start: datetime
    end: datetime
    zone: str
    title: str


def mime_of(mail: Any) -> Mime:
    """The mail as it travels: by SMTP, whose lines end so."""
    return message_from_bytes(mail.message().as_bytes(linesep="\r\n"))


def files_of(mail: Any) -> list[bytes]:
    """The calendar files that it brings."""
    parts = mime_of(mail).walk()
    return [
        calendar_lint.bytes_of(part)
        for part in parts
        if part.get_content_type() == "text/calendar" and part.get_filename()
    ]


def by_icalendar(content: bytes) -> Told:
    """As the library reads it that we write with."""
    calendar = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    start, end = event.decoded("DTSTART"), event.decoded("DTEND")
    return Told(
        calendar["METHOD"],
        str(event["UID"]),
        int(event["SEQUENCE"]),
        str(event["STATUS"]),
        start,
        end,
        str(start.tzinfo),
        str(event["SUMMARY"]),
    )


def by_ical(content: bytes) -> Told:
    """As another does, which is strict."""
    (calendar,) = CalendarStream.from_ics(content.decode()).calendars
    (event,) = calendar.events
    assert isinstance(event.dtstart, datetime)
    assert isinstance(event.dtend, datetime)
    assert event.uid is not None
    assert event.status is not None
    return Told(
        str(calendar.method),
        event.uid,
        int(event.sequence or 0),
        event.status.value,
        event.dtstart,
        event.dtend,
        str(event.dtstart.tzinfo),
        str(event.summary),
    )


READERS = (by_icalendar, by_ical)


@dataclass
class Agenda:
    """A calendar that acts as RFC 5546 says: what is newer replaces what has its UID, or takes it away."""

    entries: dict[str, Told] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)

    def take(self, told: Told) -> None:
        """One message."""
        if told.sequence <= self.newest.get(told.uid, -1):
            return
        self.newest[told.uid] = told.sequence
        if told.method == "CANCEL":
            self.entries.pop(told.uid, None)
        else:
            self.entries[told.uid] = told
