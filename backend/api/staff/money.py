"""Who pays for a session, what was paid and what goes back, through the API; each is one intent."""

from __future__ import annotations

from datetime import datetime

from backend.accounts.scopes import Area
from backend.api.staff.actions import BookingAction, describe_action
from backend.api.staff.requests import (
    DeskPaymentRequest,
    RefundMadeRequest,
    RefundRequest,
    SponsorRequest,
    VoidPaymentRequest,
)
from backend.bookings import staff_queries
from backend.bookings.lifecycle import desk_money, front_desk, refunds
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.payments.models import VoidReason


@describe_action("desk_payment")
class DeskPayment(BookingAction[DeskPaymentRequest]):
    """POST: money was paid at the desk: all that is left to pay, or a part of it."""

    area = Area.PAYMENTS
    shape = DeskPaymentRequest

    def act(self, booking_id: int, body: DeskPaymentRequest, *, actor: str, now: datetime) -> None:
        desk_money.record_desk_payment(booking_id, body.handed(), actor=actor, now=now)


@describe_action("void_desk_payment")
class VoidDeskPayment(BookingAction[VoidPaymentRequest]):
    """POST: a payment at the desk was recorded by mistake, the last unless it is named.

    Its row stays, as `voided`; no money moves.
    """

    area = Area.PAYMENTS
    shape = VoidPaymentRequest

    def act(self, booking_id: int, body: VoidPaymentRequest, *, actor: str, now: datetime) -> None:
        given = body.validated_data
        which = given["payment_reference"] or ""
        void_desk_payment(booking_id, VoidReason(given["why"]), reference=which, actor=actor, now=now)


@describe_action("sponsor")
class Sponsor(BookingAction[SponsorRequest]):
    """POST: a corporate pays, as far as its contract and its month reach."""

    area = Area.PAYMENTS
    shape = SponsorRequest

    def act(self, booking_id: int, body: SponsorRequest, *, actor: str, now: datetime) -> None:
        front_desk.sponsor(booking_id, body.validated_data["corporate_id"], actor=actor, now=now)


@describe_action("refund")
class GrantRefund(BookingAction[RefundRequest]):
    """POST: give back a part, or all that is left."""

    area = Area.PAYMENTS
    shape = RefundRequest

    def act(self, booking_id: int, body: RefundRequest, *, actor: str, now: datetime) -> None:
        refunds.grant_refund(booking_id, body.validated_data["amount"], actor=actor, now=now)


@describe_action("refund_made")
class RecordRefundMade(BookingAction[RefundMadeRequest]):
    """POST: a refund was handed out at the desk, or settled outside what the gateway refused."""

    area = Area.PAYMENTS
    shape = RefundMadeRequest

    def act(self, booking_id: int, body: RefundMadeRequest, *, actor: str, now: datetime) -> None:
        refund_id = staff_queries.refund_id(booking_id, body.validated_data["refund_reference"])
        refunds.record_refund_made(refund_id, actor=actor, now=now)
