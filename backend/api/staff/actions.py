"""What an action of staff on a booking is, for the API: a shape, who may, and the intent."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic

from django.db.models import Q
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.public.requests import Shape, parse_request
from backend.api.schema import Operation, described
from backend.api.staff import responses
from backend.api.staff.as_read import as_read, if_match, tag
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.docs import BookingAnswer
from backend.bookings import staff_queries
from backend.bookings.access import AccessPolicy, Scope


class BookingAction(StaffView, Generic[Shape]):
    """POST: one intent; the answer is the booking as it then is."""

    area = Area.BOOKINGS
    shape: type[Shape]
    scope = Scope.DESK
    checks_tag = True

    def may_act(self) -> bool:
        return self.access.may_act_on_some(self.scope)

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        body = parse_request(self.shape, request.data)
        return self.carried_out(acknowledgement_id, body, sent_tag=if_match(request))

    def carried_out(self, acknowledgement_id: str, body: Shape, *, sent_tag: str) -> Response:
        """The answer once it is done. Refuses: booking_unknown, changed_since, and as the intent."""
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings_to(self.scope))
        with as_read(sent_tag, booking_id):
            self.act(booking_id, body, actor=request_actor(self.request), now=timezone.now())
        return summary(acknowledgement_id, self.access)

    @abstractmethod
    def act(self, booking_id: int, body: Shape, *, actor: str, now: datetime) -> None:
        """The intent."""


def describe_action(name: str) -> Callable[[type[BookingAction[Any]]], type[BookingAction[Any]]]:
    """Describes an action to the schema."""

    def decorate(view: type[BookingAction[Any]]) -> type[BookingAction[Any]]:
        return described(post=Operation(f"staff_{name}", BookingAnswer, view.shape))(view)

    return decorate


def summary(acknowledgement_id: str, access: AccessPolicy, *, status: int = 200) -> Response:
    """Of a booking that they acted on, even if acting took it out of their access."""
    booking = staff_queries.booking(acknowledgement_id, among=Q())
    return Response(responses.summary(booking, access), status=status, headers={"ETag": tag(booking)})
