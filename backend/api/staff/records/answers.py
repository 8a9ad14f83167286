"""What is answered of each kind of row."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from backend.api.staff.docs import CorporateAnswer, LocationAnswer
from backend.api.staff.records.shapes import (
    Fee,
    Ids,
    Instant,
    Phone,
    Rupees,
    booking,
    maybe_instant,
    number,
    text,
)
from backend.api.words import WordField
from backend.audit.models import Kind
from backend.bookings.machine import State
from backend.bookings.models import RequestKind, RequestState
from backend.ops.models import Verb
from backend.outbox.models import MessageState, Queue
from backend.payments.models import PaymentMethod, PaymentState, RefundState


class PsychologistAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    full_name = serializers.CharField()
    email = serializers.CharField()
    is_active = serializers.BooleanField()
    fee = Fee(source="*")
    own_fee = Rupees(source="fee_paise", allow_null=True, help_text="Null: the practice's default.")
    meeting_link = text()
    location = LocationAnswer(allow_null=True)
    registration_number = text()
    language_ids = Ids(source="languages")
    specialization_ids = Ids(source="specializations")
    time_zone = text(help_text="Empty: the practice's, as of all that is empty or null here.")
    session_minutes = number()
    buffer_minutes = number()
    notice_hours = number()
    horizon_days = number()


class SponsorAnswer(CorporateAnswer):
    contact_email = text()
    code = text(help_text="What its people give when they book.")
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)
    sessions_a_month = number(help_text="Null: no limit.")


class ClientRowAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    full_name = text()
    email = text()
    phone_number = Phone(allow_blank=True)
    city = text()
    country = text()
    created_at = Instant()


class ClientAnswer(ClientRowAnswer):
    state = text(source="region", help_text="Of the address.")
    gender = text()
    emergency_contact = text()


class EnquiryRowAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    subject = serializers.CharField()
    received_at = Instant()


class EnquiryAnswer(EnquiryRowAnswer):
    text = serializers.CharField()


class DataRequestAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = WordField(RequestKind)
    state = WordField(RequestState)
    acknowledgement_id = booking()
    asked_by = serializers.CharField()
    asked_at = Instant()
    deadline = Instant(help_text="Until when the person has an answer.")
    due_at = maybe_instant()
    waits_for = text()
    closed_at = maybe_instant()


class ClosedDayAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    weekday = number(help_text="0 is Monday; null: one date.")
    date = serializers.DateField(allow_null=True)
    note = text()


class HeldSlotAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    psychologist_id = serializers.IntegerField()
    acknowledgement_id = booking()
    held_from = Instant(source="blocked_from")
    held_until = Instant(source="blocked_until", help_text="The pause included.")


class PaymentRowAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    payment_reference = serializers.CharField(source="reference")
    acknowledgement_id = booking()
    state = WordField(PaymentState)
    method = WordField(PaymentMethod)
    gateway = text()
    amount = Rupees(source="amount_paise")
    captured = Rupees(source="captured_paise")
    paid_by = text(help_text="The means.")
    bank_reference = text()
    received_on = serializers.DateField(allow_null=True)
    is_unexpected = serializers.BooleanField()
    started_at = Instant()
    captured_at = maybe_instant()
    closed_at = maybe_instant()


class RefundRowAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    refund_reference = serializers.CharField(source="reference")
    payment_reference = serializers.CharField(source="payment.reference")
    acknowledgement_id = booking("payment.booking.acknowledgement_id")
    state = WordField(RefundState)
    amount = Rupees(source="amount_paise")
    reason = serializers.CharField()
    actor = serializers.CharField()
    queued_at = Instant()
    settled_at = maybe_instant()


class GatewayEventAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    event_id = serializers.CharField()
    gateway = serializers.CharField()
    kind = text()
    payment_reference = text()
    result = text()
    why = text()
    received_at = Instant()
    correlation_id = text()


class OutboxMessageAnswer(serializers.Serializer[Any]):
    """What is owed; not what a mail says."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    queue = WordField(Queue)
    acknowledgement_id = serializers.CharField(source="of_booking", allow_null=True)
    recipient = text()
    state = WordField(MessageState)
    attempts = serializers.IntegerField()
    created_at = Instant()
    not_before = Instant()
    next_attempt_at = maybe_instant()
    settled_at = maybe_instant()
    last_error = text()


class LedgerRowAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = Instant()
    acknowledgement_id = booking()
    sequence = serializers.IntegerField()
    intent = serializers.CharField()
    state_before = text(source="source")
    state = WordField(State, source="target")
    reason = text()
    actor = serializers.CharField()
    details = serializers.DictField()
    correlation_id = text()


class AccessRecordAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = Instant()
    actor = serializers.CharField()
    token_id = number()
    token_name = text()
    kind = WordField(Kind)
    page = text()
    shown = text(help_text="Tables and columns with the numbers of their rows.")
    correlation_id = text()


class ActAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = Instant()
    actor = serializers.CharField()
    verb = WordField(Verb)
    subject = serializers.CharField()
    message_id = number()
    reason = text()


class TimerRunAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    timer = serializers.CharField()
    started_at = Instant()
    finished_at = maybe_instant()
    examined = serializers.IntegerField()
    changed = serializers.IntegerField()
    failed = serializers.IntegerField()
    error = text()
    asked_by = text()
    correlation_id = text()
