"""Into the room of a session, for the psychologist who gives it: nobody else of the practice gets in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle import room_door
from backend.bookings.lifecycle.room_door import Door, Stage
from backend.core.formatting import short_day_and_time
from backend.desk.navigation import to_booking, visible_bookings
from backend.desk.page import Page


def room(request: HttpRequest, booking_id: int) -> HttpResponse:
    """The log-in is the proof; the way in is made now, and nobody keeps this answer."""
    access = AccessPolicy(request.user)
    get_object_or_404(visible_bookings(access).filter(psychologist=access.psychologist_id), pk=booking_id)
    found, address = room_door.enter_as_host(booking_id, psychologist_id=access.psychologist_id, now=timezone.now())
    if not address:
        messages.warning(request, _why_closed(found))
        return to_booking(booking_id)
    return HttpResponse(status=303, headers={"Location": address, "Referrer-Policy": "no-referrer"})


def _why_closed(found: Door) -> str:
    if found.stage is Stage.EARLY and found.room is not None:
        return f"The room opens on {short_day_and_time(found.room.opens_at)}."
    if found.stage is Stage.UNMADE:
        return "The room is not ready yet: its provider has not answered. Try again in a minute."
    return "The session is over." if found.stage is Stage.OVER else "The booking has no confirmed online session."


PAGE = Page(
    "<int:booking_id>/room/",
    "bookings_booking_room",
    lambda access: access.psychologist_id is not None and access.sees_bookings,
    room,
)
