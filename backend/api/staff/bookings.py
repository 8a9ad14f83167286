"""Staff's endpoints to find bookings, take one by telephone, see one whole, and where it could be."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.public.requests import parse_request
from backend.api.schema import Operation, described
from backend.api.staff import responses
from backend.api.staff.actions import summary
from backend.api.staff.as_read import tag
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.docs import (
    BookingAnswer,
    BookingsAnswer,
    PhoneAnswer,
    SuggestionsAnswer,
    WholeBookingAnswer,
)
from backend.api.staff.lists import sparse
from backend.api.staff.requests import CallerRequest, NothingRequest, SuggestionsRequest
from backend.api.staff.wanted import BookingFieldsRequest, WantedRequest
from backend.bookings import staff_queries
from backend.bookings.lifecycle import disclosure, front_desk
from backend.bookings.models import Booking
from backend.core import disclosures
from backend.core.disclosures import Act
from backend.scheduling.suggestions import suggestions


@described(
    get=Operation("staff_bookings", BookingsAnswer, WantedRequest),
    post=Operation("staff_create", BookingAnswer, CallerRequest, 201),
)
class Bookings(StaffView):
    """GET: bookings, newest first; `next` is the `after` of the next page. POST: a request taken by telephone."""

    area = Area.BOOKINGS

    def get(self, request: Request) -> Response:
        asked = parse_request(WantedRequest, request.query_params)
        limit = asked.validated_data["limit"]
        after = asked.validated_data["after"]
        rows = staff_queries.bookings(asked.wanted(), access=self.access, after=after, limit=limit + 1)
        if asked.wanted().text.strip():
            disclosures.note_act(Act.SEARCHED, Booking, (booking.pk for booking in rows[:limit]))
        names = asked.validated_data["fields"]
        shown = [responses.summary(booking, self.access, names) for booking in rows[:limit]]
        return Response({"bookings": shown, "next": str(rows[limit - 1]) if len(rows) > limit else None})

    def post(self, request: Request) -> Response:
        body = parse_request(CallerRequest, request.data)
        recorded = front_desk.create_by_staff(body.draft(), actor=request_actor(request), now=timezone.now())
        return summary(recorded.booking.acknowledgement_id, self.access, status=201)


@described(get=Operation("staff_booking", sparse(WholeBookingAnswer), BookingFieldsRequest))
class BookingDetail(StaffView):
    """GET: one booking with its ledger, its money and what became of its mails."""

    area = Area.BOOKINGS

    def get(self, request: Request, acknowledgement_id: str) -> Response:
        names = parse_request(BookingFieldsRequest, request.query_params).validated_data["fields"]
        booking = staff_queries.booking(acknowledgement_id, among=self.access.bookings())
        shown = responses.detail(booking, self.access, names, now=timezone.now())
        return Response(shown, headers={"ETag": tag(booking)})


@described(get=Operation("staff_suggestions", SuggestionsAnswer, SuggestionsRequest))
class Suggestions(StaffView):
    """GET: free slots that suit what the visitor asked for, first those that fit, then the nearest."""

    area = Area.BOOKINGS

    def get(self, request: Request, acknowledgement_id: str) -> Response:
        asked = parse_request(SuggestionsRequest, request.query_params).validated_data
        booking = staff_queries.booking(acknowledgement_id, among=self.access.bookings())
        return Response(responses.suggestions(suggestions(booking, now=timezone.now(), **asked)))


@described(post=Operation("staff_reveal_phone", PhoneAnswer, NothingRequest))
class RevealPhone(StaffView):
    """POST: the telephone number that is masked otherwise; that you were shown it is recorded."""

    area = Area.CLIENTS

    keeps_answers = False

    def may_act(self) -> bool:
        return self.access.reveals_phones

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        parse_request(NothingRequest, request.data)
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings())
        booking = disclosure.reveal_phone(booking_id, actor=request_actor(request), now=timezone.now())
        return Response(responses.phone(booking))
