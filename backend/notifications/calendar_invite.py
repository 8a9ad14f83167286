"""The calendar entries of confirmed sessions, as one .ics file (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from icalendar import Calendar, Event


def calendar_invite(sessions: Iterable[Mapping[str, Any]], *, domain: str, stamped_at: datetime) -> bytes:
    """Published entries: importing a later one of the same booking replaces it. Nobody learns from it what it is for.

    Reads `acknowledgement_id`, `sequence`, `starts_at`, `ends_at` (ISO 8601 with offset) and `place` of each.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//MindSettler//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for session in sessions:
        calendar.add_component(_event(session, domain=domain, stamped_at=stamped_at))
    return bytes(calendar.to_ical())


def _event(session: Mapping[str, Any], *, domain: str, stamped_at: datetime) -> Event:
    reference = session["acknowledgement_id"]
    event = Event()
    event.add("uid", f"{reference}@{domain}")
    event.add("sequence", session["sequence"])
    event.add("dtstamp", stamped_at.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", _utc(session["starts_at"]))
    event.add("dtend", _utc(session["ends_at"]))
    event.add("summary", f"Appointment {reference}")
    event.add("location", session["place"])
    event.add("status", "CONFIRMED")
    event.add("class", "PRIVATE")
    return event


def _utc(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC)
