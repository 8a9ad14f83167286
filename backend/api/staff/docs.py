"""What the schema says of the answers that staff get."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from backend.api.staff.lists import sparse
from backend.api.words import WordField
from backend.bookings.machine import Reason, State
from backend.bookings.models import Gender, GuardianProof, Mode, Origin, Outcome, PaymentMode, Period
from backend.outbox.models import MessageState, Queue
from backend.payments.models import DocumentKind, PaymentMethod, PaymentState, RefundState


def _maybe_instant() -> serializers.DateTimeField:
    return serializers.DateTimeField(allow_null=True)


def _rupees(**kwargs: Any) -> serializers.CharField:
    return serializers.CharField(help_text="Rupees, two decimals.", **kwargs)


class LoginAnswer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    scope = serializers.CharField(help_text="Of the token, blanks between several.")


class NamedAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class BookingAnswer(serializers.Serializer[Any]):
    """One line of the list, and the answer of every action."""

    acknowledgement_id = serializers.CharField()
    status = WordField(State)
    reason = WordField(Reason, or_empty=True)
    origin = WordField(Origin)
    is_priority = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    due_at = _maybe_instant()
    pay_by = _maybe_instant()
    closed_at = _maybe_instant()
    cancellation_requested_at = _maybe_instant()
    choose_by = _maybe_instant()
    full_name = serializers.CharField()
    email = serializers.CharField(allow_blank=True, help_text="Empty: they are told by telephone.")
    phone_number = serializers.CharField(help_text="Masked but for three digits where your role says so.")
    is_minor = serializers.BooleanField()
    preferred_date = serializers.DateField()
    preferred_period = WordField(Period)
    preferred_time_start = serializers.CharField(allow_null=True, help_text="HH:MM")
    preferred_time_end = serializers.CharField(allow_null=True, help_text="HH:MM")
    preferred_psychologist = NamedAnswer(allow_null=True, help_text="A wish.")
    preferred_slot_start = _maybe_instant()
    mode = WordField(Mode)
    payment_mode = WordField(PaymentMode)
    psychologist = NamedAnswer(allow_null=True)
    corporate = NamedAnswer(allow_null=True)
    slot_start = _maybe_instant()
    slot_end = _maybe_instant()
    amount = _rupees(allow_null=True)
    outcome = WordField(Outcome)
    follows = serializers.CharField(allow_null=True, help_text="The session from which staff booked this one.")


class BookingsAnswer(serializers.Serializer[Any]):
    bookings = sparse(BookingAnswer)(many=True)
    next = serializers.CharField(allow_null=True, help_text="The `after` of the next page; null on the last.")


class DecidedAnswer(serializers.Serializer[Any]):
    """What became of one of many: `status` as the action alone would answer it, and either a booking or a code."""

    acknowledgement_id = serializers.CharField()
    status = serializers.IntegerField()
    booking = BookingAnswer(allow_null=True)
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)
    errors = serializers.DictField(  # type: ignore[assignment]  # hides Serializer.errors, on purpose
        child=serializers.ListField(child=serializers.CharField()), allow_null=True, help_text="By field."
    )
    free_slots = serializers.ListField(child=serializers.DictField(child=serializers.DateTimeField()))


class ManyAnswer(serializers.Serializer[Any]):
    items = DecidedAnswer(many=True)


class LedgerAnswer(serializers.Serializer[Any]):
    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    intent = serializers.CharField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # hides Field.source, on purpose
    target = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    actor = serializers.CharField()
    details = serializers.DictField()
    correlation_id = serializers.CharField(allow_blank=True)


class RefundAnswer(serializers.Serializer[Any]):
    refund_reference = serializers.CharField()
    state = WordField(RefundState)
    amount = _rupees()
    reason = serializers.CharField()
    actor = serializers.CharField()
    queued_at = serializers.DateTimeField()
    settled_at = _maybe_instant()


class ReceiptAnswer(serializers.Serializer[Any]):
    number = serializers.CharField()
    kind = WordField(DocumentKind)
    at = serializers.DateTimeField()
    amount = _rupees()
    refund_reference = serializers.CharField(allow_null=True, help_text="Of a credit note; else it was a mistake.")


class AttemptAnswer(serializers.Serializer[Any]):
    payment_reference = serializers.CharField()
    method = WordField(PaymentMethod)
    gateway = serializers.CharField(allow_blank=True)
    state = WordField(PaymentState)
    amount = _rupees()
    captured = _rupees()
    is_unexpected = serializers.BooleanField()
    started_at = serializers.DateTimeField()
    captured_at = _maybe_instant()
    refunds = RefundAnswer(many=True)
    receipts = ReceiptAnswer(many=True)


class OwedAnswer(serializers.Serializer[Any]):
    """A mail or a piece of work for the gateway, and what became of it."""

    kind = serializers.CharField()
    queue = WordField(Queue)
    recipient = serializers.CharField(allow_blank=True)
    state = WordField(MessageState)
    not_before = serializers.DateTimeField()
    settled_at = _maybe_instant()
    attempts = serializers.IntegerField()
    last_error = serializers.CharField(allow_blank=True)


class SponsorMonthAnswer(serializers.Serializer[Any]):
    month = serializers.CharField(help_text="YYYY-MM, of the session.")
    used = serializers.IntegerField()
    left = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    not_covered_because = serializers.CharField(allow_null=True, help_text="Null: one more session is covered.")


class SuggestionAnswer(serializers.Serializer[Any]):
    psychologist_id = serializers.IntegerField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    fits = serializers.BooleanField(help_text="All that the visitor asked for: day, hours, mode and psychologist.")


class SuggestionsAnswer(serializers.Serializer[Any]):
    time_zone = serializers.CharField(help_text="Whose offset the times have.")
    suggestions = SuggestionAnswer(many=True)


class CorporateAnswer(NamedAnswer):
    is_active = serializers.BooleanField()


class SponsorshipAnswer(CorporateAnswer):
    """Who sponsors the booking. Before approval `outlook` tells whether they would."""

    month = serializers.CharField(allow_null=True, help_text="YYYY-MM: whose allowance holds the session.")
    returned_at = _maybe_instant()
    outlook = SponsorMonthAnswer(many=True)


class WholeBookingAnswer(BookingAnswer):
    """One booking with everything that belongs to it."""

    city = serializers.CharField()
    state = serializers.CharField(help_text="Of the address.")
    country = serializers.CharField()
    age = serializers.IntegerField(allow_null=True)
    gender = WordField(Gender, or_empty=True)
    emergency_contact = serializers.CharField()
    user_message = serializers.CharField(allow_blank=True, allow_null=True, help_text="Null: not for your eyes.")
    verified_at = _maybe_instant()
    guardian_consent_at = _maybe_instant()
    guardian_consent_by = serializers.CharField(allow_blank=True)
    guardian_name = serializers.CharField(allow_blank=True)
    guardian_proof = WordField(GuardianProof, or_empty=True)
    meeting_link = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)
    note_to_visitor = serializers.CharField(allow_blank=True)
    moved_by_staff_at = _maybe_instant()
    payment_status = serializers.CharField()
    amount_paid = serializers.CharField(help_text="What came of it, also if it went back since.")
    amount_left = serializers.CharField(help_text="What is still to be paid.")
    sponsor_code = serializers.CharField(allow_blank=True, help_text="As the visitor gave it.")
    sponsorship = SponsorshipAnswer(allow_null=True)
    ledger = LedgerAnswer(many=True)
    payments = AttemptAnswer(many=True)
    messages = OwedAnswer(many=True)


class PhoneAnswer(serializers.Serializer[Any]):
    phone_number = serializers.CharField()
    emergency_contact = serializers.CharField()


class FreeSlotAnswer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class FollowUpAnswer(serializers.Serializer[Any]):
    """One start: what it became, or in a preview would become; or why nothing."""

    slot_start = serializers.DateTimeField()
    fits = serializers.BooleanField()
    status = WordField(State, allow_null=True)
    amount = _rupees(allow_null=True)
    pay_by = _maybe_instant()
    booking = BookingAnswer(allow_null=True, help_text="Null in a preview.")
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)
    free_slots = FreeSlotAnswer(many=True)


class FollowUpsAnswer(serializers.Serializer[Any]):
    preview = serializers.BooleanField()
    sessions = FollowUpAnswer(many=True)


class SeriesSessionAnswer(serializers.Serializer[Any]):
    """One session: where it went or would go, or why it does not fit."""

    acknowledgement_id = serializers.CharField()
    slot_start = serializers.DateTimeField()
    fits = serializers.BooleanField()
    booking = BookingAnswer(allow_null=True, help_text="Null in a preview.")
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)
    free_slots = FreeSlotAnswer(many=True)


class SeriesAnswer(serializers.Serializer[Any]):
    preview = serializers.BooleanField()
    sessions = SeriesSessionAnswer(many=True)


class LocationAnswer(NamedAnswer):
    address = serializers.CharField()
