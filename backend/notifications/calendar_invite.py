"""The calendar entry of a confirmed session, as an .ics file (RFC 5545)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from icalendar import Calendar, Event


def calendar_invite(context: Mapping[str, Any], *, domain: str, sequence: int, stamped_at: datetime) -> bytes:
    """A published entry: importing a later one of the same booking replaces it. Nobody learns from it what it is for.

    Reads `acknowledgement_id`, `starts_at`, `ends_at` (ISO 8601 with offset) and `place` of the mail's frozen context.
    """
    reference = context["acknowledgement_id"]
    event = Event()
    event.add("uid", f"{reference}@{domain}")
    event.add("sequence", sequence)
    event.add("dtstamp", stamped_at.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", _utc(context["starts_at"]))
    event.add("dtend", _utc(context["ends_at"]))
    event.add("summary", f"Appointment {reference}")
    event.add("location", context["place"])
    event.add("status", "CONFIRMED")
    event.add("class", "PRIVATE")
    calendar = Calendar()
    calendar.add("prodid", "-//MindSettler//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _utc(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC)
