"""Another time for a booked session, by the token of the newest mail about it; in HTML `links/slot_pages.py`."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from backend.api import responses
from backend.api.fields import IdField, InstantField
from backend.api.public.docs import StatusAnswer
from backend.api.public.requests import TokenRequest, parse_request
from backend.api.public.slots import DaysRequest, SlotsAnswer, listed
from backend.api.repeats import Door
from backend.api.schema import MessageAnswer, Operation, described
from backend.bookings import links, queries
from backend.bookings.lifecycle import rescheduling
from backend.bookings.models import Purpose


class TimesRequest(DaysRequest, TokenRequest):
    """The days to look at, and whose session is to be moved."""


class SlotChoiceRequest(TokenRequest):
    """One of the times that GET lists."""

    psychologist = IdField("Please choose a time: the id of its psychologist is missing.")
    start = InstantField("Please choose a time, written with its offset, such as 2026-11-24T17:30:00+05:30.")


class MovedAnswer(MessageAnswer):
    booking = StatusAnswer()


@described(
    get=Operation("times_to_move_to", SlotsAnswer, TimesRequest), post=Operation("move", MovedAnswer, SlotChoiceRequest)
)
class Move(Door):
    """GET: the times that this session may be moved to; none is held. POST one of them: move it."""

    def get(self, request: Request) -> Response:
        asked, now = parse_request(TimesRequest, request.query_params), timezone.now()
        link = links.find(asked.validated_data["token"], Purpose.RESCHEDULE)
        rescheduling.refuse_unless_movable(link.booking, link, now=now)
        return Response(listed(rescheduling.slots_to_move_to(link.booking, *asked.span(), now=now)))

    def post(self, request: Request) -> Response:
        given: dict[str, Any] = parse_request(SlotChoiceRequest, request.data).validated_data
        choice, now = rescheduling.SlotChoice(given["psychologist"], given["start"]), timezone.now()
        booking = rescheduling.reschedule_by_visitor(given["token"], choice, now=now)
        return Response(
            {
                "message": gettext("Your session is moved."),
                "booking": responses.status(queries.progress(booking), now=now),
            }
        )
