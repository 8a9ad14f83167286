"""What Gmail, Outlook and RFC 5545 and 5546 ask of a mail that brings a calendar entry; each breach as a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from icalendar import Calendar, Event

from tests.support import discretion

SAYS_TOO_MUCH = ("session", "appointment with", "meera", "iyer")
OF_PLACES = "LOCATION"  # a link or an address, for whoever opens the entry


def breaches(mail: Message, *, reader: str, sender: str) -> list[str]:
    """Of one mail to `reader`; none where it brings no entry."""
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    files = [part for part in parts if part.get_filename()]
    inline = [part for part in parts if not part.get_filename()]
    found = [] if not parts or files else ["it brings no file"]
    if len(files) == 1:
        found += _of_the_alternative(mail, inline, files[0])
    elif inline:
        found.append("one alternative cannot speak of several sessions")
    for part in parts:
        found += [f"{part.get_filename() or 'the part'}: {one}" for one in _of_part(part, reader, sender)]
    return found


def bytes_of(part: Message) -> bytes:
    """The calendar itself."""
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def _of_the_alternative(mail: Message, inline: list[Message], file: Message) -> Iterator[str]:
    whole = next((part for part in mail.walk() if part.get_content_type() == "multipart/alternative"), None)
    alternatives: list[Message] = list(whole.get_payload()) if whole is not None else []  # type: ignore[arg-type]
    kinds = [part.get_content_type() for part in alternatives]
    if kinds != ["text/plain", "text/html", "text/calendar"]:
        yield f"the alternatives are {kinds}"
    if any(_unfolded(bytes_of(one)) != _unfolded(bytes_of(file)) for one in inline):
        yield "part and file differ"


def _unfolded(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def _of_part(part: Message, reader: str, sender: str) -> Iterator[str]:
    content = bytes_of(part)
    calendar = Calendar.from_ical(content)
    events = calendar.walk("VEVENT")
    if str(part.get_param("method")) != calendar.get("METHOD"):
        yield "its type names another method"
    if str(part.get_content_charset()).upper() != "UTF-8":
        yield "its type names no UTF-8"
    if calendar.get("VERSION") != "2.0" or not calendar.get("PRODID"):
        yield "no VERSION or PRODID"
    if len(events) != 1:
        yield f"{len(events)} sessions"
    yield from _of_lines(content)
    for event in events:
        yield from _of_event(event, calendar, reader=reader, sender=sender)


def _of_lines(content: bytes) -> Iterator[str]:
    lines = content.split(b"\r\n")
    if any(b"\n" in line or b"\r" in line for line in lines) or lines[-1] != b"":
        yield "a line does not end with CRLF"
    yield from (f"{len(line)} octets in a line" for line in lines if len(line) > 75)


def _of_event(event: Event, calendar: Calendar, *, reader: str, sender: str) -> Iterator[str]:
    is_cancelled = calendar["METHOD"] == "CANCEL"
    must_have = ("UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "ORGANIZER", "ATTENDEE", "STATUS")
    missing = [name for name in must_have if name not in event]
    if missing:
        yield f"no {missing}"
        return
    if calendar["METHOD"] not in ("REQUEST", "CANCEL"):
        yield f"method {calendar['METHOD']}"
    if event["STATUS"] != ("CANCELLED" if is_cancelled else "CONFIRMED"):
        yield f"status {event['STATUS']}"
    if bool(event.walk("VALARM")) == is_cancelled:
        yield "an alarm of what is called off, or none of what is not"
    yield from _of_people(event, reader=reader, sender=sender)
    yield from _of_instants(event, calendar)
    yield from _of_words(event)


def _of_people(event: Event, *, reader: str, sender: str) -> Iterator[str]:
    attendee = event["ATTENDEE"]
    if (attendee, event["ORGANIZER"]) != (f"mailto:{reader}", f"mailto:{sender}"):
        yield "it names others than the practice and its reader"
    if (attendee.params.get("RSVP"), attendee.params.get("PARTSTAT")) != ("FALSE", "ACCEPTED"):
        yield "it asks for an answer that nobody reads"


def _of_instants(event: Event, calendar: Calendar) -> Iterator[str]:
    zones = {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")}
    used = {str(event[name].params.get("TZID", "none")) for name in ("DTSTART", "DTEND")}
    if used != zones:
        yield f"times in {used}, and rules of {zones}"
    if not event["DTSTAMP"].to_ical().endswith(b"Z"):
        yield "DTSTAMP is not in UTC"
    if event.decoded("DTSTART") >= event.decoded("DTEND"):
        yield "it ends before it begins"


def _of_words(event: Event) -> Iterator[str]:
    shown = [str(event["SUMMARY"]), *(str(alarm.get("DESCRIPTION", "")) for alarm in event.walk("VALARM"))]
    yield from discretion.told(shown, words=SAYS_TOO_MUCH)
    if "DESCRIPTION" in event or "COMMENT" in event:
        yield "it says more than when and where"
    if event.get("CLASS") != "PRIVATE":
        yield "it is not private"
    if re.search(r"token=", str(event["SUMMARY"])):
        yield "a link in the title"
