"""Staff's endpoints: find bookings, see one whole, and every intent that staff have."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, Generic

from django.db.models import Q
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from backend.api.public.requests import Shape, parse_request
from backend.api.schema import Operation, described
from backend.api.staff import responses
from backend.api.staff.auth import StaffView, refuse_price, request_actor
from backend.api.staff.docs import (
    BookingAnswer,
    BookingsAnswer,
    CorporatesAnswer,
    LocationsAnswer,
    PhoneAnswer,
    PsychologistsAnswer,
    SuggestionsAnswer,
    WholeBookingAnswer,
)
from backend.api.staff.requests import (
    ApprovalRequest,
    CallerRequest,
    CancelRequest,
    DeskPaymentRequest,
    MoveRequest,
    NothingRequest,
    OutcomeRequest,
    RefundMadeRequest,
    RefundRequest,
    RejectRequest,
    SponsorRequest,
    SuggestionsRequest,
    VoidPaymentRequest,
    WantedRequest,
)
from backend.bookings import staff_queries
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle import approval, cancellation, desk_money, disclosure, front_desk, refunds
from backend.bookings.lifecycle.cancellation import CalledOffBy, RefundChoice
from backend.bookings.lifecycle.choices import offer_choice
from backend.bookings.lifecycle.first_fit import approve_first_fit
from backend.bookings.lifecycle.rescheduling import reschedule
from backend.bookings.lifecycle.transaction import expecting
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.bookings.models import Booking, Outcome
from backend.core import disclosures
from backend.core.disclosures import Act
from backend.payments.models import VoidReason
from backend.scheduling.suggestions import suggestions


@described(
    get=Operation("staff_bookings", BookingsAnswer, WantedRequest),
    post=Operation("staff_create", BookingAnswer, CallerRequest, 201),
)
class Bookings(StaffView):
    """GET: bookings, newest first; `next` is the `after` of the next page. POST: a request taken by telephone."""

    def get(self, request: Request) -> Response:
        asked = parse_request(WantedRequest, request.query_params)
        limit = asked.validated_data["limit"]
        after = asked.validated_data["after"]
        rows = staff_queries.bookings(asked.wanted(), access=self.access, after=after, limit=limit + 1)
        if asked.wanted().text.strip():
            disclosures.note_act(Act.SEARCHED, Booking, (booking.pk for booking in rows[:limit]))
        shown = [responses.summary(booking, self.access) for booking in rows[:limit]]
        return Response({"bookings": shown, "next": shown[-1]["acknowledgement_id"] if len(rows) > limit else None})

    def post(self, request: Request) -> Response:
        body = parse_request(CallerRequest, request.data)
        recorded = front_desk.create_by_staff(body.draft(), actor=request_actor(request), now=timezone.now())
        return _summary(recorded.booking.acknowledgement_id, self.access, status=201)


@described(get=Operation("staff_booking", WholeBookingAnswer))
class BookingDetail(StaffView):
    """GET: one booking with its ledger, its money and what became of its mails."""

    def get(self, _request: Request, acknowledgement_id: str) -> Response:
        booking = staff_queries.booking(acknowledgement_id, among=self.access.bookings())
        shown = responses.detail(booking, self.access, now=timezone.now())
        return Response(shown, headers={"ETag": _tag(booking)})


class BookingAction(StaffView, Generic[Shape]):
    """POST: one intent; the answer is the booking as it then is."""

    shape: type[Shape]
    scope = Scope.DESK
    checks_tag = True

    def may_act(self) -> bool:
        return self.access.may_act_on_some(self.scope)

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        body = parse_request(self.shape, request.data)
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings_to(self.scope))
        with _as_read(request, booking_id):
            self.act(booking_id, body, actor=request_actor(request), now=timezone.now())
        return _summary(acknowledgement_id, self.access)

    @abstractmethod
    def act(self, booking_id: int, body: Shape, *, actor: str, now: datetime) -> None:
        """The intent."""


def describe_action(name: str) -> Callable[[type[BookingAction[Any]]], type[BookingAction[Any]]]:
    """Describes an action to the schema."""

    def decorate(view: type[BookingAction[Any]]) -> type[BookingAction[Any]]:
        return described(post=Operation(f"staff_{name}", BookingAnswer, view.shape))(view)

    return decorate


def _summary(acknowledgement_id: str, access: AccessPolicy, *, status: int = 200) -> Response:
    """Of a booking that they acted on, even if acting took it out of their access."""
    booking = staff_queries.booking(acknowledgement_id, among=Q())
    return Response(responses.summary(booking, access), status=status, headers={"ETag": _tag(booking)})


def _tag(booking: Booking) -> str:
    """The number of its ledger's last row: whatever happens to a booking writes one."""
    return f'"{booking.ledger_sequence}"'


def _as_read(request: Request, booking_id: int) -> AbstractContextManager[None]:
    """With If-Match the change is made only to what was read; a tag of anything else is of no ledger's row."""
    tag = request.headers.get("If-Match", "*").strip()
    if tag == "*":
        return nullcontext()
    return expecting(booking_id, int(tag.strip('"')) if re.fullmatch(r'"[0-9]{1,9}"', tag) else -1)


@describe_action("approve")
class Approve(BookingAction[ApprovalRequest]):
    """POST: set psychologist, time and amount. `slot_taken`, `outside_hours` and `no_free_slot` bring `free_slots`."""

    shape = ApprovalRequest
    scope = Scope.UNASSIGNED

    def act(self, booking_id: int, body: ApprovalRequest, *, actor: str, now: datetime) -> None:
        refuse_price(self.access, body.validated_data["amount"])
        if body.validated_data["auto"]:
            language = body.validated_data["language"]
            approve_first_fit(booking_id, body.approval(), language=language, actor=actor, now=now)
        else:
            approval.approve(booking_id, body.approval(), actor=actor, now=now)


@described(get=Operation("staff_suggestions", SuggestionsAnswer, SuggestionsRequest))
class Suggestions(StaffView):
    """GET: free slots that suit what the visitor asked for, first those that fit, then the nearest."""

    def get(self, request: Request, acknowledgement_id: str) -> Response:
        asked = parse_request(SuggestionsRequest, request.query_params).validated_data
        booking = staff_queries.booking(acknowledgement_id, among=self.access.bookings())
        return Response(responses.suggestions(suggestions(booking, now=timezone.now(), **asked)))


@describe_action("reject")
class Reject(BookingAction[RejectRequest]):
    """POST: decline the request; with up to three free times that the visitor may take instead."""

    shape = RejectRequest
    scope = Scope.UNASSIGNED

    def act(self, booking_id: int, body: RejectRequest, *, actor: str, now: datetime) -> None:
        given = body.validated_data
        approval.reject(
            booking_id,
            note_to_visitor=given["note_to_visitor"],
            offers=body.offers(),
            guardian_consent=body.guardian(),
            actor=actor,
            now=now,
        )


@describe_action("cancel")
class Cancel(BookingAction[CancelRequest]):
    """POST: call the booking off; what was paid goes back unless `refund` is `none`, with a reason."""

    shape = CancelRequest

    def act(self, booking_id: int, body: CancelRequest, *, actor: str, now: datetime) -> None:
        given = body.validated_data
        cancellation.cancel_by_staff(
            booking_id,
            note_to_visitor=given["note_to_visitor"],
            refund=RefundChoice(given["refund"]),
            called_off_by=CalledOffBy(given["called_off_by"]),
            amount_paise=given["amount"],
            refund_reason=given["refund_reason"],
            actor=actor,
            now=now,
        )


@describe_action("reschedule")
class Reschedule(BookingAction[MoveRequest]):
    """POST: move the session; id and payment stay. `slot_taken` and `outside_hours` bring `free_slots`."""

    shape = MoveRequest
    scope = Scope.OWN

    def act(self, booking_id: int, body: MoveRequest, *, actor: str, now: datetime) -> None:
        reschedule(booking_id, body.move(), actor=actor, now=now)


@describe_action("offer_choice")
class OfferChoice(BookingAction[NothingRequest]):
    """POST: the session cannot be held at its time; the visitor is asked to choose another, until `choose_by`."""

    shape = NothingRequest
    scope = Scope.OWN

    def act(self, booking_id: int, _body: NothingRequest, *, actor: str, now: datetime) -> None:
        offer_choice(booking_id, actor=actor, now=now)


@describe_action("desk_payment")
class DeskPayment(BookingAction[DeskPaymentRequest]):
    """POST: money was paid at the desk: all that is left to pay, or a part of it."""

    shape = DeskPaymentRequest

    def act(self, booking_id: int, body: DeskPaymentRequest, *, actor: str, now: datetime) -> None:
        desk_money.record_desk_payment(booking_id, body.handed(), actor=actor, now=now)


@describe_action("void_desk_payment")
class VoidDeskPayment(BookingAction[VoidPaymentRequest]):
    """POST: a payment at the desk was recorded by mistake, the last unless it is named.

    Its row stays, as `voided`; no money moves.
    """

    shape = VoidPaymentRequest

    def act(self, booking_id: int, body: VoidPaymentRequest, *, actor: str, now: datetime) -> None:
        given = body.validated_data
        which = given["payment_reference"] or ""
        void_desk_payment(booking_id, VoidReason(given["why"]), reference=which, actor=actor, now=now)


@describe_action("sponsor")
class Sponsor(BookingAction[SponsorRequest]):
    """POST: a corporate pays, as far as its contract and its month reach."""

    shape = SponsorRequest

    def act(self, booking_id: int, body: SponsorRequest, *, actor: str, now: datetime) -> None:
        front_desk.sponsor(booking_id, body.validated_data["corporate_id"], actor=actor, now=now)


@describe_action("refund")
class GrantRefund(BookingAction[RefundRequest]):
    """POST: give back a part, or all that is left."""

    shape = RefundRequest

    def act(self, booking_id: int, body: RefundRequest, *, actor: str, now: datetime) -> None:
        refunds.grant_refund(booking_id, body.validated_data["amount"], actor=actor, now=now)


@describe_action("refund_made")
class RecordRefundMade(BookingAction[RefundMadeRequest]):
    """POST: a refund was handed out at the desk, or settled outside what the gateway refused."""

    shape = RefundMadeRequest

    def act(self, booking_id: int, body: RefundMadeRequest, *, actor: str, now: datetime) -> None:
        refund_id = staff_queries.refund_id(booking_id, body.validated_data["refund_reference"])
        refunds.record_refund_made(refund_id, actor=actor, now=now)


@describe_action("outcome")
class RecordOutcome(BookingAction[OutcomeRequest]):
    """POST: what became of the session, recorded or corrected."""

    shape = OutcomeRequest
    scope = Scope.OWN

    def act(self, booking_id: int, body: OutcomeRequest, *, actor: str, now: datetime) -> None:
        front_desk.record_outcome(booking_id, Outcome(body.validated_data["outcome"]), actor=actor, now=now)


@described(post=Operation("staff_reveal_phone", PhoneAnswer, NothingRequest))
class RevealPhone(StaffView):
    """POST: the telephone number that is masked otherwise; that you were shown it is recorded."""

    keeps_answers = False

    def may_act(self) -> bool:
        return self.access.reveals_phones

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        parse_request(NothingRequest, request.data)
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings())
        booking = disclosure.reveal_phone(booking_id, actor=request_actor(request), now=timezone.now())
        return Response(responses.phone(booking))


class ChoiceView(StaffView):
    """What those who decide choose from."""

    def may_read(self) -> bool:
        return self.access.sees_all


@described(get=Operation("staff_psychologists", PsychologistsAnswer))
class Psychologists(ChoiceView):
    """GET: who gives sessions."""

    def get(self, _request: Request) -> Response:
        return Response({"psychologists": [responses.psychologist(row) for row in staff_queries.psychologists()]})


@described(get=Operation("staff_locations", LocationsAnswer))
class Locations(ChoiceView):
    """GET: where sessions in person take place."""

    def get(self, _request: Request) -> Response:
        return Response({"locations": [responses.location(row) for row in staff_queries.locations()]})


@described(get=Operation("staff_corporates", CorporatesAnswer))
class Corporates(ChoiceView):
    """GET: who may sponsor sessions."""

    def get(self, _request: Request) -> Response:
        return Response({"corporates": [responses.corporate_row(row) for row in staff_queries.corporates()]})
