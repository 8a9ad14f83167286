"""`/go/room/?token=`: into the room of an online session while it is open, by the booking's or the psychologist's link.

GET lets nobody in, as scanners of mails open it, too. The button makes the way in and leads there: kept nowhere, and no
answer of ours shows it but the one that leads on.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.api.frame import render_page
from backend.api.links.pages import LinkPage
from backend.bookings.lifecycle import room_door
from backend.bookings.lifecycle.room_door import Door, Stage
from backend.core import formatting

STATUS = {Stage.NO_ROOM: 409, Stage.EARLY: 200, Stage.OPEN: 200, Stage.UNMADE: 409, Stage.OVER: 410}


class RoomPage(LinkPage):
    """When it opens, the way in, or that it is over."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        return _page(room_door.door(token, now=timezone.now()), token)

    def post(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        found, address = room_door.enter(token, now=timezone.now())
        if not address:
            return _page(found, token)
        return HttpResponse(status=303, headers={"Location": address})


def _page(found: Door, token: str) -> HttpResponse:
    booking, room = found.booking, found.room
    facts = {
        "token": token,
        "stage": found.stage.value,
        "acknowledgement_id": booking.acknowledgement_id,
        "starts": formatting.day_and_time(booking.slot_start) if room is not None and booking.slot_start else "",
        "ends_clock": formatting.clock_time(booking.slot_end) if room is not None and booking.slot_end else "",
        "opens": formatting.day_and_time(room.opens_at) if room is not None else "",
        "closes_clock": formatting.clock_time(room.closes_at) if room is not None else "",
    }
    return render_page("room", facts, status=STATUS[found.stage])
