"""The shapes of staff's requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.validators import URLValidator
from rest_framework import serializers

from backend.accounts.scopes import Wide
from backend.api.fields import (
    ChoiceField,
    DayField,
    EmailAddressField,
    FlagField,
    IdField,
    InstantField,
    IntakeField,
    LineField,
    ParagraphField,
    WholeNumberField,
)
from backend.api.public.requests import DraftRequest
from backend.api.staff.fields import PasswordField, RupeesField, ScopesField
from backend.bookings.lifecycle.alternatives import OfferedSlot
from backend.bookings.lifecycle.cancellation import CalledOffBy, RefundChoice
from backend.bookings.lifecycle.desk_money import Handed
from backend.bookings.lifecycle.follow_ups import Rhythm, Series
from backend.bookings.lifecycle.rescheduling import Move
from backend.bookings.lifecycle.series import SeriesCancellation, SeriesMove
from backend.bookings.lifecycle.session_terms import Approval, GuardianConsent
from backend.bookings.models import Gender, GuardianProof, Outcome
from backend.payments.models import BANK_REFERENCE, BANK_REFERENCE_LONGEST, DeskMeans, VoidReason
from backend.people import intake

MINUTES_MOST = 24 * 60  # what is read; which length makes sense is the lifecycle's to say
STARTS_MOST = 100  # what is read; how many make a series is the lifecycle's to say
OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True, "default": None}
MAYBE_EMPTY: dict[str, Any] = {"required": False, "allow_blank": True, "default": ""}

_WHEN = "Please write the time with its offset, such as 2026-11-24T17:30:00+05:30."
_WHO = "Please choose a psychologist."
_LINK = "Please write the meeting link as https://…"
_RUPEES = 'Please write the amount in rupees with two decimals, such as "1500.00".'


class LoginRequest(serializers.Serializer[Any]):
    username = LineField("Please enter your name.", max_length=150)
    password = PasswordField("Please enter your password.")
    otp = LineField("Please enter the code that your app shows.", max_length=20)
    scope = ScopesField(help_text="One or more; `read` and `act` are of every area.", default=Wide.READ.value)
    name = LineField("Please say what the token is for.", max_length=80, **MAYBE_EMPTY)


class CallerRequest(DraftRequest):
    """A request that staff took by telephone: a name, and one way to reach who called."""

    email = EmailAddressField(help_text="Without one every notice is told by telephone.", **MAYBE_EMPTY)
    phone_number = IntakeField(intake.PHONE_NUMBER, **MAYBE_EMPTY)
    city = IntakeField(intake.CITY, **MAYBE_EMPTY)
    country = IntakeField(intake.COUNTRY, **MAYBE_EMPTY)
    age = WholeNumberField(intake.AGE.ask, least=intake.AGE.least, most=intake.AGE.most, **OPTIONAL)
    gender = ChoiceField("Please choose a gender, or leave it out.", Gender, required=False, default="")
    emergency_contact = IntakeField(intake.EMERGENCY_CONTACT, **MAYBE_EMPTY)


class PlaceRequest(serializers.Serializer[Any]):
    """When and where a session is. Without link or location those of the psychologist hold."""

    slot_start = InstantField(_WHEN)
    slot_minutes = WholeNumberField("Please give the length in whole minutes.", least=1, most=MINUTES_MOST, **OPTIONAL)
    meeting_link = LineField(_LINK, max_length=200, validators=[URLValidator(["https"], message=_LINK)], **MAYBE_EMPTY)
    location_id = IdField("Please give the location's id.", **OPTIONAL)
    despite_hours = FlagField("Please say true to book outside the psychologist's hours.")

    def place(self) -> dict[str, Any]:
        """The cleaned fields, named as the lifecycle names them."""
        values = dict(self.validated_data)
        minutes = values.pop("slot_minutes")
        values["slot_length"] = None if minutes is None else timedelta(minutes=minutes)
        return values


class GuardianRequest(serializers.Serializer[Any]):
    """Of a minor: whether the guardian consented, who that is, and how you know it. It takes all three."""

    guardian_consent = FlagField("Please say true if the guardian's consent was given to you.")
    guardian_name = LineField("Please write the guardian's name and relation.", max_length=120, **MAYBE_EMPTY)
    guardian_proof = ChoiceField(
        "Please choose how you know that it is the guardian, such as document.",
        GuardianProof,
        required=False,
        default="",
    )

    def guardian(self) -> GuardianConsent | None:
        """What was given; None unless all of it was."""
        consent, name, proof = (self.validated_data[f"guardian_{what}"] for what in ("consent", "name", "proof"))
        return GuardianConsent(name, GuardianProof(proof)) if consent and name and proof else None


class ApprovalRequest(GuardianRequest, PlaceRequest):
    """Psychologist and start; or `auto`, the first free slot that fits, of this psychologist if one is given."""

    psychologist_id = IdField(_WHO, **OPTIONAL)
    slot_start = InstantField(_WHEN, **OPTIONAL)
    auto = FlagField("Please say true to take the first free slot that fits.")
    language = LineField("Please write the language as text.", max_length=40, help_text="With auto.", **MAYBE_EMPTY)
    amount = RupeesField(_RUPEES, help_text="Without it the psychologist's fee.", **OPTIONAL)
    despite_cancellation_request = FlagField("Please say true to approve although the visitor asked to cancel.")
    pay_if_not_sponsored = FlagField("Please say true if the visitor is to pay where the sponsor does not.")
    undoable = FlagField("Please say true to tell nobody for some minutes, while `undo/` takes it back.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Somebody chooses: staff or `auto`."""
        wrong: dict[str, str] = {}
        if attrs["auto"]:
            for name in ("slot_start", "slot_minutes"):
                wrong |= {} if attrs[name] is None else {name: "Please leave time and length out, or auto."}
        else:
            wrong |= {"psychologist_id": _WHO} if attrs["psychologist_id"] is None else {}
            wrong |= {"slot_start": _WHEN} if attrs["slot_start"] is None else {}
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs

    def approval(self) -> Approval:
        """What staff decide."""
        values = self.place()
        for name in ("auto", "language", "guardian_name", "guardian_proof"):
            del values[name]
        values["guardian_consent"] = self.guardian()
        values["amount_paise"] = values.pop("amount")
        values["is_undoable"] = values.pop("undoable")
        return Approval(**values)


class MoveRequest(PlaceRequest):
    psychologist_id = IdField("Please choose a psychologist.", **OPTIONAL)

    def move(self) -> Move:
        """The new time, and what else moves."""
        return Move(**self.place())


class SuggestionsRequest(serializers.Serializer[Any]):
    """Which free slots, of those that suit the booking."""

    psychologist_id = IdField(_WHO, **OPTIONAL)
    language = LineField("Please write the language as text.", max_length=40, **MAYBE_EMPTY)


class NoteRequest(serializers.Serializer[Any]):
    note_to_visitor = ParagraphField("Please write the note as text.", max_length=300, **MAYBE_EMPTY)


class OfferRequest(serializers.Serializer[OfferedSlot]):
    psychologist_id = IdField("Please choose a psychologist.")
    slot_start = InstantField(_WHEN)
    slot_minutes = WholeNumberField("Please give the length in whole minutes.", least=1, most=MINUTES_MOST, **OPTIONAL)


class RejectRequest(GuardianRequest, NoteRequest):
    """Nobody holds the times that are offered instead; each is mailed as a link that takes it."""

    alternatives = OfferRequest(many=True, required=False, default=list)
    despite_hours = FlagField("Please say true to offer times outside the psychologist's hours.")
    undoable = FlagField("Please say true to tell nobody for some minutes, while `undo/` takes it back.")

    def offers(self) -> list[OfferedSlot]:
        """The times, in the order in which they are offered."""
        return [
            OfferedSlot(
                row["psychologist_id"],
                row["slot_start"],
                None if row["slot_minutes"] is None else timedelta(minutes=row["slot_minutes"]),
                self.validated_data["despite_hours"],
            )
            for row in self.validated_data["alternatives"]
        ]


class CancelRequest(NoteRequest):
    called_off_by = ChoiceField(
        "Please choose practice or visitor.", CalledOffBy, required=False, default=CalledOffBy.PRACTICE.value
    )
    refund = ChoiceField(
        "Please choose rules, full, part or none.", RefundChoice, required=False, default=RefundChoice.RULES.value
    )
    amount = RupeesField(_RUPEES, help_text="Of a part.", **OPTIONAL)
    refund_reason = ParagraphField("Please write the reason as text.", max_length=300, **MAYBE_EMPTY)
    undoable = FlagField("Please say true to tell nobody for some minutes, while `undo/` takes it back.")


class MoveSeriesRequest(serializers.Serializer[Any]):
    """When the first session that is ahead starts; the others keep their distance to it. `preview` moves nothing."""

    first_start = InstantField(_WHEN)
    despite_hours = FlagField("Please say true to move outside the psychologist's hours.")
    preview = FlagField("Please say true to move nothing.")

    def move(self) -> SeriesMove:
        """What staff wish."""
        return SeriesMove(self.validated_data["first_start"], self.validated_data["despite_hours"])


class CancelSeriesRequest(NoteRequest):
    """What holds for each session; `preview` cancels nothing."""

    called_off_by = ChoiceField(
        "Please choose practice or visitor.", CalledOffBy, required=False, default=CalledOffBy.PRACTICE.value
    )
    refund = ChoiceField(
        "Please choose rules, full or none.",
        [choice for choice in RefundChoice if choice is not RefundChoice.PART],
        required=False,
        default=RefundChoice.RULES.value,
    )
    refund_reason = ParagraphField("Please write the reason as text.", max_length=300, **MAYBE_EMPTY)
    preview = FlagField("Please say true to cancel nothing.")

    def cancellation(self) -> SeriesCancellation:
        """What staff decide."""
        given = self.validated_data
        return SeriesCancellation(
            given["note_to_visitor"],
            RefundChoice(given["refund"]),
            given["refund_reason"],
            CalledOffBy(given["called_off_by"]),
        )


class NothingRequest(serializers.Serializer[Any]):
    """An empty object."""


class SponsorRequest(serializers.Serializer[Any]):
    corporate_id = IdField(
        "Please choose a corporate.", allow_null=True, help_text="Null, before approval: no sponsor, the visitor pays."
    )


class FollowUpRequest(GuardianRequest):
    """One session, a series at one interval, or a list of starts; `preview` books nothing and tells what would fit."""

    slot_starts = serializers.ListField(
        child=InstantField(_WHEN),
        min_length=1,
        max_length=STARTS_MOST,
        error_messages=dict.fromkeys(("not_a_list", "min_length", "max_length", "null"), "Please list the starts."),
        **OPTIONAL,
    )
    first_start = InstantField(_WHEN, help_text="Without it one interval after the last session.", **OPTIONAL)
    count = WholeNumberField("Please give the number of sessions.", least=1, most=STARTS_MOST, **OPTIONAL)
    interval_days = WholeNumberField("Please give the interval in days.", least=1, most=366, required=False, default=7)
    psychologist_id = IdField("Please choose a psychologist.", help_text="Without it the same.", **OPTIONAL)
    slot_minutes = WholeNumberField("Please give the length in whole minutes.", least=1, most=MINUTES_MOST, **OPTIONAL)
    amount = RupeesField(_RUPEES, help_text="Of each session; without it the psychologist's fee.", **OPTIONAL)
    pay_if_not_sponsored = FlagField("Please say true if the visitor is to pay where the sponsor does not.")
    despite_hours = FlagField("Please say true to book outside the psychologist's hours.")
    preview = FlagField("Please say true to book nothing.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either a list or a rhythm."""
        if attrs["slot_starts"] and (attrs["count"] or attrs["first_start"]):
            raise serializers.ValidationError({"slot_starts": "Please give either a list of starts or a count."})
        return attrs

    def series(self) -> Series:
        """What staff wish."""
        given = self.validated_data
        rhythm = Rhythm(given["count"] or 1, timedelta(days=given["interval_days"]), given["first_start"])
        minutes: int | None = given["slot_minutes"]
        return Series(
            slot_starts=tuple(given["slot_starts"]) if given["slot_starts"] else rhythm,
            psychologist_id=given["psychologist_id"],
            slot_length=None if minutes is None else timedelta(minutes=minutes),
            amount_paise=given["amount"],
            guardian_consent=self.guardian(),
            pay_if_not_sponsored=given["pay_if_not_sponsored"],
            despite_hours=given["despite_hours"],
        )


class RefundRequest(serializers.Serializer[Any]):
    amount = RupeesField(_RUPEES, help_text="Without it all that is left.", **OPTIONAL)


class RefundMadeRequest(serializers.Serializer[Any]):
    refund_reference = LineField("Please give the refund's reference.", max_length=40)


class DeskPaymentRequest(serializers.Serializer[Any]):
    """All may be missing: then it was all that is left to pay, in cash, today."""

    amount = RupeesField(
        _RUPEES, help_text="Less than what is left to pay is a part. Without it all of it.", **OPTIONAL
    )
    means = ChoiceField("Please choose how the money came, such as cash.", DeskMeans, required=False)
    reference = LineField(
        "Please write the bank's reference.",
        required=False,
        allow_blank=True,
        max_length=BANK_REFERENCE_LONGEST,
        validators=[BANK_REFERENCE],
    )
    received_on = DayField("Please give the day on which the money came, such as 2026-11-28.", required=False)

    def handed(self) -> Handed:
        given = self.validated_data
        means = DeskMeans(given.get("means", DeskMeans.CASH))
        return Handed(means, given.get("reference", ""), given.get("received_on"), given["amount"])


class VoidPaymentRequest(serializers.Serializer[Any]):
    payment_reference = LineField("Please give the payment's reference.", max_length=40, **OPTIONAL)
    why = ChoiceField("Please choose why it was a mistake, such as wrong_booking.", VoidReason)


class OutcomeRequest(serializers.Serializer[Any]):
    outcome = ChoiceField("Please choose the outcome, such as attended.", Outcome)
