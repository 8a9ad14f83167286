"""Staff's endpoint for the next sessions of somebody who is treated: try them first, then book those that fit."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api import errors
from backend.api.public.requests import parse_request
from backend.api.responses import utc_iso
from backend.api.schema import Operation, described
from backend.api.staff import responses
from backend.api.staff.as_read import as_read, if_match
from backend.api.staff.auth import StaffView, refuse_price, request_actor
from backend.api.staff.docs import FollowUpsAnswer
from backend.api.staff.requests import FollowUpRequest
from backend.bookings import staff_queries
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle.follow_ups import SeriesResult, book_series, preview_series


@described(post=Operation("staff_follow_up", FollowUpsAnswer, FollowUpRequest))
class FollowUp(StaffView):
    """POST: book the next sessions; the rest is told start by start. The first refusal if nothing fits."""

    area = Area.BOOKINGS
    checks_tag = True

    def may_act(self) -> bool:
        return self.access.may_act_on_some(Scope.OWN)

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        body, now = parse_request(FollowUpRequest, request.data), timezone.now()
        refuse_price(self.access, body.validated_data["amount"])
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings_to(Scope.OWN))
        actor = request_actor(request)
        is_preview = body.validated_data["preview"]
        with as_read(if_match(request), booking_id):
            places = (preview_series if is_preview else book_series)(booking_id, body.series(), actor=actor, now=now)
        refusals = [place.refused for place in places if place.refused is not None]
        if not is_preview and len(refusals) == len(places):
            raise refusals[0]
        return Response(
            {"preview": is_preview, "sessions": [_session(place, is_preview, self.access) for place in places]}
        )


def _session(place: SeriesResult, is_preview: bool, access: AccessPolicy) -> dict[str, Any]:
    """One start: what it became or would become, or why nothing."""
    booking, problem = place.booking, None if place.refused is None else errors.refusal(place.refused)
    return {
        "slot_start": utc_iso(place.slot_start),
        "fits": booking is not None,
        "status": None if booking is None else booking.state,
        "amount": None if booking is None else responses.rupees(booking.amount_paise),
        "pay_by": None if booking is None else utc_iso(booking.pay_by),
        "booking": None if booking is None or is_preview else responses.summary(booking, access),
        "code": None if problem is None else problem.code,
        "detail": None if problem is None else problem.detail,
        "free_slots": [] if problem is None else problem.more.get("free_slots", []),
    }
