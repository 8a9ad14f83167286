"""What the schema says of the public endpoints; declared beside them, so that they read as they run."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from backend.api import hooks, mail_hooks, message_hooks
from backend.api.public import bookings, cancellations, enquiries, requests
from backend.api.schema import MessageAnswer, Operation, SupportLineAnswer, described
from backend.api.words import WordField
from backend.bookings.lifecycle.explanation import VisitorAction
from backend.bookings.machine import State
from backend.bookings.models import Mode, PaymentMode, Period
from backend.bookings.next_steps import NextStep


class ActionAnswer(serializers.Serializer[Any]):
    """What may be done now. `send` names what goes with it; a `token` is the one of the mail that offers this."""

    action = WordField(VisitorAction, may_grow=True)
    method = serializers.ChoiceField(["GET", "POST"])
    address = serializers.URLField()
    send = serializers.ListField(child=serializers.CharField())
    until = serializers.DateTimeField(allow_null=True, help_text="At least; null: as long as this state lasts.")


class StepAnswer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status = WordField(State)
    what = serializers.CharField(help_text="Stable, snake_case; new ones may come.")
    text = serializers.CharField(help_text="A sentence for its visitor.")


class StatusAnswer(serializers.Serializer[Any]):
    """What whoever knows the id may see."""

    acknowledgement_id = serializers.CharField()
    status = WordField(State)
    preferred_date = serializers.DateField()
    preferred_period = WordField(Period)
    preferred_time_start = serializers.CharField(allow_null=True, help_text="HH:MM")
    preferred_time_end = serializers.CharField(allow_null=True, help_text="HH:MM")
    mode = WordField(Mode)
    approved_slot_start = serializers.DateTimeField(allow_null=True)
    approved_slot_end = serializers.DateTimeField(allow_null=True)
    amount = serializers.CharField(allow_null=True, help_text="Rupees, two decimals.")
    amount_paid = serializers.CharField(help_text="What came of it, also if it went back since.")
    amount_left = serializers.CharField(help_text="What is still to be paid.")
    timeline = serializers.ListField(child=WordField(State))
    created_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    state_reason = serializers.CharField(
        allow_null=True, help_text="Why it closed, or an attempt ended. By id `called_off`, whoever wished it."
    )
    deadline = serializers.DateTimeField(allow_null=True, help_text="Of the next step, with the practice's offset.")
    next_step = serializers.CharField(help_text="A sentence for its visitor.")
    next_step_code = WordField(NextStep, may_grow=True)
    allowed_actions = ActionAnswer(many=True)
    payment_status = serializers.CharField()
    support = SupportLineAnswer(many=True)


class DetailAnswer(StatusAnswer):
    """What the holder of the booking link sees."""

    payment_mode = WordField(PaymentMode)
    history = StepAnswer(many=True, help_text="Oldest first.")
    psychologist = serializers.CharField(allow_null=True)
    meeting_link = serializers.CharField(allow_null=True, help_text="When CONFIRMED and online.")
    address = serializers.CharField(allow_null=True)
    add_to_calendar_url = serializers.URLField(required=False, help_text="When CONFIRMED.")
    receipts_url = serializers.URLField(required=False, help_text="A page, once something was paid.")
    pay_url = serializers.URLField(
        required=False, help_text="When PAYMENT_PENDING, with a gateway that has pages: where to go on paying."
    )


class VerifiedAnswer(MessageAnswer):
    booking = DetailAnswer()


class PaymentAnswer(MessageAnswer):
    payment_reference = serializers.CharField()
    amount = serializers.CharField(help_text="Rupees, two decimals.")
    pay_url = serializers.URLField(
        required=False, help_text="Where to pay, with a gateway that has pages; without one, complete_payment pays."
    )


class PaidAnswer(MessageAnswer):
    acknowledgement_id = serializers.CharField()
    status = WordField(State)


class CancelledAnswer(MessageAnswer):
    status = WordField(State)


class SupportAnswer(MessageAnswer):
    support = SupportLineAnswer(many=True)


class PingAnswer(serializers.Serializer[Any]):
    status = serializers.CharField()


class RecordedAnswer(MessageAnswer):
    outcome = serializers.CharField()


class MailEventAnswer(MessageAnswer):
    recorded = serializers.IntegerField()


class MessageEventAnswer(MailEventAnswer):
    """The same, of a channel."""


def describe() -> None:
    """Tell the schema's generator. `urls` calls it once."""
    described(post=Operation("draft", MessageAnswer, requests.DraftRequest, 201))(bookings.SubmitDraft)
    described(
        get=Operation("read_booking", VerifiedAnswer, requests.TokenRequest),
        post=Operation("verify_email", VerifiedAnswer, requests.TokenRequest),
    )(bookings.VerifyEmail)
    described(
        get=Operation("check_status", StatusAnswer, requests.AcknowledgementRequest),
        post=Operation("request_link", MessageAnswer, requests.AddressRequest),
    )(bookings.CheckStatus)
    described(post=Operation("initiate_payment", PaymentAnswer, requests.AcknowledgementRequest))(
        bookings.InitiatePayment
    )
    described(post=Operation("complete_payment", PaidAnswer, requests.PaymentRequest))(bookings.CompletePayment)
    described(post=Operation("request_cancellation", MessageAnswer, requests.AcknowledgementRequest, 202))(
        cancellations.RequestCancellation
    )
    described(
        get=Operation("read_cancellation", CancelledAnswer, requests.TokenRequest),
        post=Operation("verify_cancellation", CancelledAnswer, requests.TokenRequest),
    )(cancellations.VerifyCancellation)
    described(post=Operation("send_email", MessageAnswer, requests.EnquiryRequest, 202))(enquiries.SendEmail)
    described(get=Operation("support", SupportAnswer))(bookings.Support)
    described(get=Operation("", PingAnswer))(bookings.Ping)  # it has several addresses, so the generator names it
    described(post=Operation("payment_event", RecordedAnswer, OpenApiTypes.OBJECT))(hooks.PaymentWebhook)
    described(post=Operation("mail_event", MailEventAnswer, OpenApiTypes.OBJECT))(mail_hooks.MailWebhook)
    described(post=Operation("message_event", MessageEventAnswer, OpenApiTypes.OBJECT))(message_hooks.MessageWebhook)
    extend_schema_view(get=extend_schema(exclude=True))(message_hooks.MessageWebhook)  # Meta alone asks it
