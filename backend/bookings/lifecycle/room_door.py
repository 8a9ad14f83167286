"""The door of a session's room: who stands before it, whether it is open, and the way in, made as they enter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from backend.bookings import links
from backend.bookings.lifecycle import rooms
from backend.bookings.lifecycle.transaction import lock_booking
from backend.bookings.machine import State
from backend.bookings.models import Booking, Mode, Purpose
from backend.rooms import adapters
from backend.rooms.models import Room
from backend.rooms.provider import Person


class Stage(StrEnum):
    """Why somebody gets in, or not."""

    NO_ROOM = "no_room"  # not confirmed, called off, or in person
    EARLY = "early"
    UNMADE = "unmade"  # the provider has not answered yet
    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True)
class Door:
    """`room`: as it is planned for the session; None where there is none."""

    stage: Stage
    booking: Booking
    person: Person
    room: Room | None = None


def door(token: str, *, now: datetime) -> Door:
    """Where a link of a mail or of the booking's page leads.

    Refuses: link_unknown, link_expired, draft_lapsed, draft_superseded.
    """
    link = links.find(token, Purpose.BOOKING, Purpose.ROOM)
    booking = links.readable(link, now=now)
    return _door(booking, Person.HOST if link.purpose == Purpose.ROOM else Person.GUEST, now=now)


def _door(booking: Booking, person: Person, *, now: datetime) -> Door:
    if booking.state == State.COMPLETED:
        return Door(Stage.OVER, booking, person)
    if booking.state != State.CONFIRMED or booking.mode != Mode.ONLINE:
        return Door(Stage.NO_ROOM, booking, person)
    room = rooms.planned(booking, now=now)
    return Door(_stage(room, now=now), booking, person, room)


def enter(token: str, *, now: datetime) -> tuple[Door, str]:
    """The door, and the address that lets this person in; empty unless it is open. Refuses: as `door`.

    Under the booking's lock: who moves or cancels the session meanwhile waits, or came first and ended the way in.
    """
    with transaction.atomic():
        lock_booking(links.find(token, Purpose.BOOKING, Purpose.ROOM).booking_id)
        return _let_in(door(token, now=now), now=now)


def enter_as_host(booking_id: int, *, psychologist_id: int | None, now: datetime) -> tuple[Door, str]:
    """As `enter`, for the psychologist who is logged in; one who does not give this session meets no room."""
    with transaction.atomic():
        booking = lock_booking(booking_id)
        if booking.psychologist_id != psychologist_id:
            return Door(Stage.NO_ROOM, booking, Person.HOST), ""
        return _let_in(_door(booking, Person.HOST, now=now), now=now)


def _let_in(found: Door, *, now: datetime) -> tuple[Door, str]:
    if found.stage is not Stage.OPEN:
        return found, ""
    room = rooms.room_of(found.booking, now=now)
    if adapters.are_asked() and room.made_at is None:
        return replace(found, stage=Stage.UNMADE), ""
    return found, adapters.rooms().link(room, found.person, now=now)


def _stage(room: Room, *, now: datetime) -> Stage:
    if now < room.opens_at:
        return Stage.EARLY
    return Stage.OPEN if now < room.closes_at else Stage.OVER
