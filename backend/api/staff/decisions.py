"""What staff decide about a request or a session through the API; each is one intent."""

from __future__ import annotations

from datetime import datetime

from backend.api.staff.actions import BookingAction, describe_action
from backend.api.staff.auth import refuse_price
from backend.api.staff.requests import (
    ApprovalRequest,
    CancelRequest,
    MoveRequest,
    NothingRequest,
    OutcomeRequest,
    RejectRequest,
)
from backend.bookings.access import Scope
from backend.bookings.lifecycle import approval, cancellation, front_desk
from backend.bookings.lifecycle.cancellation import CalledOffBy, RefundChoice
from backend.bookings.lifecycle.choices import offer_choice
from backend.bookings.lifecycle.first_fit import approve_first_fit
from backend.bookings.lifecycle.rescheduling import reschedule
from backend.bookings.lifecycle.undo import undo_decision
from backend.bookings.models import Outcome


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
            is_undoable=given["undoable"],
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
            is_undoable=given["undoable"],
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


@describe_action("outcome")
class RecordOutcome(BookingAction[OutcomeRequest]):
    """POST: what became of the session, recorded or corrected."""

    shape = OutcomeRequest
    scope = Scope.OWN

    def act(self, booking_id: int, body: OutcomeRequest, *, actor: str, now: datetime) -> None:
        front_desk.record_outcome(booking_id, Outcome(body.validated_data["outcome"]), actor=actor, now=now)


@describe_action("undo")
class Undo(BookingAction[NothingRequest]):
    """POST: take the last decision back that was made `undoable`, or at the desk, while nobody was told of it."""

    shape = NothingRequest
    scope = Scope.UNDO

    def act(self, booking_id: int, _body: NothingRequest, *, actor: str, now: datetime) -> None:
        undo_decision(booking_id, actor=actor, now=now)
