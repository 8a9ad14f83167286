"""Staff's endpoints for all that is ahead of a series: try it first, then move or cancel the whole of it."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, Generic

from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api import errors
from backend.api.public.requests import Shape, parse_request
from backend.api.responses import utc_iso
from backend.api.schema import Operation, described
from backend.api.staff import responses
from backend.api.staff.as_read import as_read, if_match
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.docs import SeriesAnswer
from backend.api.staff.requests import CancelSeriesRequest, MoveSeriesRequest
from backend.bookings import staff_queries
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle import series
from backend.bookings.lifecycle.series import SeriesStep
from backend.bookings.models import Booking
from backend.bookings.queries import series_ahead


class SeriesAction(StaffView, Generic[Shape]):
    """POST: all of it or nothing; the first refusal if one does not fit, which `preview` names."""

    area = Area.BOOKINGS
    checks_tag = True
    shape: type[Shape]
    scope = Scope.DESK

    def may_act(self) -> bool:
        return self.access.may_act_on_some(self.scope)

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        body, now = parse_request(self.shape, request.data), timezone.now()
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings_to(self.scope))
        if not all(self.access.may_act(one, self.scope) for one in series_ahead(booking_id, now=now)):
            raise NotFound
        is_preview = body.validated_data["preview"]
        with as_read(if_match(request), booking_id):
            steps = self.act(booking_id, body, is_preview=is_preview, actor=request_actor(request), now=now)
        refusals = [step.refused for step in steps if step.refused is not None]
        if refusals and not is_preview:
            raise refusals[0]
        told = [_session(step, is_preview, self.access) for step in steps]
        return Response({"preview": is_preview, "sessions": told})

    @abstractmethod
    def act(self, booking_id: int, body: Shape, *, is_preview: bool, actor: str, now: datetime) -> list[SeriesStep]:
        """The intent, or its preview."""


@described(post=Operation("staff_move_series", SeriesAnswer, MoveSeriesRequest))
class MoveSeries(SeriesAction[MoveSeriesRequest]):
    """POST: move all sessions ahead of the booking's series by the same; ids and payments stay."""

    shape = MoveSeriesRequest
    scope = Scope.OWN

    def act(
        self, booking_id: int, body: MoveSeriesRequest, *, is_preview: bool, actor: str, now: datetime
    ) -> list[SeriesStep]:
        run = series.preview_move if is_preview else series.move_series
        return run(booking_id, body.move(), actor=actor, now=now)


@described(post=Operation("staff_cancel_series", SeriesAnswer, CancelSeriesRequest))
class CancelSeries(SeriesAction[CancelSeriesRequest]):
    """POST: cancel all sessions ahead of the booking's series, each with its own refund. It cannot be undone."""

    shape = CancelSeriesRequest

    def act(
        self, booking_id: int, body: CancelSeriesRequest, *, is_preview: bool, actor: str, now: datetime
    ) -> list[SeriesStep]:
        run = series.preview_cancellation if is_preview else series.cancel_series
        return run(booking_id, body.cancellation(), actor=actor, now=now)


def _session(step: SeriesStep, is_preview: bool, access: AccessPolicy) -> dict[str, Any]:
    """What became of one, or would become, or why it does not fit."""
    problem = None if step.refused is None else errors.refusal(step.refused)
    after = None if problem or is_preview else Booking.objects.get(pk=step.was.pk)
    return {
        "acknowledgement_id": step.was.acknowledgement_id,
        "slot_start": utc_iso(step.slot_start),
        "fits": problem is None,
        "booking": None if after is None else responses.summary(after, access),
        "code": None if problem is None else problem.code,
        "detail": None if problem is None else problem.detail,
        "free_slots": [] if problem is None else problem.more.get("free_slots", []),
    }
