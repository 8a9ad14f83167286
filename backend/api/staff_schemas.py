"""The shapes of staff's requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.validators import URLValidator
from rest_framework import serializers

from backend.api.fields import ChoiceField, DayField, LineField, ParagraphField, WholeNumberField
from backend.api.staff_fields import FlagField, IdField, InstantField, PasswordField, RupeesField
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.staff import Approval, Move
from backend.bookings.machine import State
from backend.bookings.models import Mode, Outcome
from backend.bookings.staff_queries import Wanted

PAGE_MOST = 100  # bookings
MINUTES_MOST = 24 * 60  # what is read; which length makes sense is the lifecycle's to say
OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True, "default": None}
MAYBE_EMPTY: dict[str, Any] = {"required": False, "allow_blank": True, "default": ""}

_WHEN = "Please write the time with its offset, such as 2026-11-24T17:30:00+05:30."
_LINK = "Please write the meeting link as https://…"
_RUPEES = 'Please write the amount in rupees with two decimals, such as "1500.00".'


class LoginRequest(serializers.Serializer[Any]):
    username = LineField("Please enter your name.", max_length=150)
    password = PasswordField("Please enter your password.")


class WantedRequest(serializers.Serializer[Wanted]):
    """Which bookings, and which page of them."""

    state = ChoiceField("Please choose one state, such as PENDING.", State, required=False, default="")
    mode = ChoiceField("Please choose ONLINE or OFFLINE.", Mode, required=False, default="")
    psychologist_id = IdField("Please give the psychologist's id.", **OPTIONAL)
    preferred_from = DayField("Please write the first day as YYYY-MM-DD.", **OPTIONAL)
    preferred_until = DayField("Please write the last day as YYYY-MM-DD.", **OPTIONAL)
    due_before = InstantField(_WHEN, **OPTIONAL)
    q = LineField("Please enter what you look for.", max_length=100, **MAYBE_EMPTY)
    after = LineField("Please give the last id of the page before.", max_length=40, **MAYBE_EMPTY)
    limit = WholeNumberField(
        f"Please ask for at most {PAGE_MOST} bookings.", least=1, most=PAGE_MOST, required=False, default=50
    )

    def wanted(self) -> Wanted:
        """The filters, cleaned."""
        values = {name: self.validated_data[name] for name in Wanted.__dataclass_fields__ if name != "text"}
        return Wanted(text=self.validated_data["q"], **values)


class PlaceRequest(serializers.Serializer[Any]):
    """When and where a session is. Without link or location those of the psychologist hold."""

    slot_start = InstantField(_WHEN)
    slot_minutes = WholeNumberField("Please give the length in whole minutes.", least=1, most=MINUTES_MOST, **OPTIONAL)
    meeting_link = LineField(_LINK, max_length=200, validators=[URLValidator(["https"], message=_LINK)], **MAYBE_EMPTY)
    location_id = IdField("Please give the location's id.", **OPTIONAL)

    def place(self) -> dict[str, Any]:
        """The cleaned fields, named as the lifecycle names them."""
        values = dict(self.validated_data)
        minutes = values.pop("slot_minutes")
        values["slot_length"] = None if minutes is None else timedelta(minutes=minutes)
        return values


class ApprovalRequest(PlaceRequest):
    psychologist_id = IdField("Please choose a psychologist.")
    amount = RupeesField(_RUPEES, help_text="Without it the psychologist's fee.", **OPTIONAL)
    guardian_consent = FlagField("Please say true if the guardian's consent was given to you.")
    despite_cancellation_request = FlagField("Please say true to approve although the visitor asked to cancel.")

    def approval(self) -> Approval:
        """What staff decide."""
        values = self.place()
        values["amount_paise"] = values.pop("amount")
        return Approval(**values)


class MoveRequest(PlaceRequest):
    psychologist_id = IdField("Please choose a psychologist.", **OPTIONAL)

    def move(self) -> Move:
        """The new time, and what else moves."""
        return Move(**self.place())


class NoteRequest(serializers.Serializer[Any]):
    note_to_visitor = ParagraphField("Please write the note as text.", max_length=300, **MAYBE_EMPTY)


class CancelRequest(NoteRequest):
    refund = ChoiceField("Please choose full or none.", RefundChoice, required=False, default=RefundChoice.FULL.value)
    refund_reason = ParagraphField("Please write the reason as text.", max_length=300, **MAYBE_EMPTY)


class NothingRequest(serializers.Serializer[Any]):
    """An empty object."""


class SponsorRequest(serializers.Serializer[Any]):
    corporate_id = IdField("Please choose a corporate.")


class RefundRequest(serializers.Serializer[Any]):
    amount = RupeesField(_RUPEES, help_text="Without it all that is left.", **OPTIONAL)


class RefundMadeRequest(serializers.Serializer[Any]):
    refund_reference = LineField("Please give the refund's reference.", max_length=40)


class OutcomeRequest(serializers.Serializer[Any]):
    outcome = ChoiceField("Please choose the outcome, such as attended.", Outcome)
