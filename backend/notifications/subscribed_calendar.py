"""A psychologist's sessions for their own calendar program: when, where and initials, for it keeps them elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from icalendar import Calendar, Event

from backend.bookings.machine import State
from backend.bookings.models import Booking, Mode
from backend.core.errors import required
from backend.core.formatting import practice_zone
from backend.notifications.calendar_invite import Entry, plain_event, vtimezone
from backend.notifications.rendering import domain
from backend.people.models import Psychologist

KEPT_BACK = timedelta(days=30)  # how long a past session stays
ASKED_EVERY = timedelta(minutes=15)  # how often a program may ask; most ask less often


def subscribed_calendar(psychologist: Psychologist, *, now: datetime) -> bytes:
    """The same bytes as long as nothing changes."""
    calendar = Calendar()
    calendar.add("prodid", "-//Appointments//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Appointments")
    calendar.add("refresh-interval", ASKED_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add_component(vtimezone(practice_zone().key))
    sessions = Booking.objects.filter(
        psychologist=psychologist, state__in=(State.CONFIRMED, State.COMPLETED), slot_start__gt=now - KEPT_BACK
    )
    for booking in sessions.order_by("slot_start", "pk"):
        calendar.add_component(_event(booking))
    return bytes(calendar.to_ical())


def _event(booking: Booking) -> Event:
    starts = required(booking.slot_start, "slot_start", booking)
    ends = required(booking.slot_end, "slot_end", booking)
    entry = Entry(booking.acknowledgement_id, booking.ledger_sequence, starts, ends, place=_place(booking))
    title = f"{initials(booking.full_name)} {booking.acknowledgement_id}".strip()
    # the same stamp each time, so that an unchanged answer is known by its ETag; SEQUENCE tells what is newer
    event = plain_event(entry, title, domain=domain(), stamped_at=booking.created_at)
    event.add("url", f"{settings.PUBLIC_URL}/admin/bookings/booking/{booking.pk}/change/")
    return event


def _place(booking: Booking) -> str:
    return "Online" if booking.mode == Mode.ONLINE else ", ".join(booking.address.split("\n"))


def initials(full_name: str) -> str:
    """Of the first and the last word."""
    words = full_name.split()
    ends = [words[0], *words[1:][-1:]] if words else []
    return " ".join(f"{word[0].upper()}." for word in ends)
