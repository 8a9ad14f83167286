"""The forms that settle a session: who, when and where; to approve a request, or to move what was approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms

from backend.bookings import policy
from backend.bookings.admin.display import money, span
from backend.bookings.admin.forms import ActionForm, paise
from backend.bookings.admin.refusals import ANSWERS
from backend.bookings.lifecycle.staff import Approval, Move
from backend.bookings.models import Booking, Mode
from backend.errors import Code
from backend.people.models import Location, Psychologist

# What makes a link good is said at the model's field; a form field made by it would leave its validators to the model
LINK_VALIDATORS = Psychologist._meta.get_field("meeting_link").validators
MINUTES_MOST = 24 * 60  # what the field accepts; whether a length makes sense is the lifecycle's to say


class PsychologistChoice(forms.ModelChoiceField[Psychologist]):
    def label_from_instance(self, obj: Psychologist) -> str:
        fee = policy.SESSION_FEE_PAISE if obj.fee_paise is None else obj.fee_paise
        return f"{obj.full_name}, {money(fee)}"


class SessionForm(ActionForm):
    psychologist = PsychologistChoice(
        Psychologist.objects.filter(is_active=True),
        required=False,
        error_messages={"invalid_choice": ANSWERS[Code.PSYCHOLOGIST_REQUIRED].sentence},
    )
    slot_start = forms.SplitDateTimeField(
        widget=forms.SplitDateTimeWidget(
            date_attrs={"type": "date", "class": "form-control"},
            time_attrs={"type": "time", "class": "form-control"},
            date_format="%Y-%m-%d",
            time_format="%H:%M",
        )
    )
    length = forms.IntegerField(required=False, min_value=1, max_value=MINUTES_MOST, label="Length in minutes")
    meeting_link = forms.CharField(required=False, validators=LINK_VALIDATORS)
    location = forms.ModelChoiceField(Location.objects.order_by("name"), required=False)

    def fit(self) -> None:
        self.fields["slot_start"].label = f"Session starts ({policy.zone().key} time)"
        del self.fields["location" if self.booking.mode == Mode.ONLINE else "meeting_link"]

    def offer(self, *, psychologist: str, place: str, length: timedelta) -> None:
        """Say what an empty choice means, and start from the usual length."""
        for name, empty_label in (("psychologist", psychologist), ("location", place)):
            field = self.fields.get(name)
            if isinstance(field, forms.ModelChoiceField):
                field.empty_label = empty_label
        if "meeting_link" in self.fields:
            self.fields["meeting_link"].help_text = f"Empty: {place[0].lower()}{place[1:]}."
        self.fields["length"].help_text = f"Empty: {span(length)}."
        if length % timedelta(minutes=1) == timedelta(0):
            self.initial["length"] = length // timedelta(minutes=1)

    def session(self) -> dict[str, Any]:
        """What approving and moving have in common, as both take it. Call after `is_valid()`."""
        typed = self.cleaned_data
        return {
            "psychologist_id": typed["psychologist"].pk if typed["psychologist"] else None,
            "slot_start": typed["slot_start"],
            "slot_length": timedelta(minutes=typed["length"]) if typed["length"] else None,
            "meeting_link": typed.get("meeting_link", ""),
            "location_id": typed["location"].pk if typed.get("location") else None,
        }


class ApprovalForm(SessionForm):
    """What staff decide about one request. Only the fields that matter to this booking are shown."""

    amount = forms.DecimalField(
        required=False,
        max_digits=10,
        decimal_places=2,
        label="Amount in rupees",
        help_text="Empty: the psychologist's fee. 0: nothing to pay.",
    )
    guardian_consent = forms.BooleanField(required=False, label="The guardian's consent was given to me")
    despite_cancellation_request = forms.BooleanField(
        required=False, label="Approve although the visitor asked to cancel"
    )
    field_order = ("psychologist", "slot_start", "length", "amount", "meeting_link", "location")

    def fit(self) -> None:
        super().fit()
        booking = self.booking
        self.initial["slot_start"] = [booking.preferred_date, booking.preferred_time_start]
        self.offer(psychologist="Choose", place="The psychologist's own", length=policy.SESSION_LENGTH)
        if booking.age is None or booking.age >= policy.ADULT_AGE:
            del self.fields["guardian_consent"]
        if booking.cancellation_requested_at is None:
            del self.fields["despite_cancellation_request"]

    def approval(self) -> Approval:
        """What was typed. Call after `is_valid()`."""
        typed = self.cleaned_data
        return Approval(
            **self.session(),
            amount_paise=paise(typed["amount"]),
            guardian_consent=typed.get("guardian_consent", False),
            despite_cancellation_request=typed.get("despite_cancellation_request", False),
        )


class MoveForm(SessionForm):
    """Another time, psychologist or place for a session that has one."""

    def fit(self) -> None:
        super().fit()
        booking = self.booking
        self.initial["slot_start"] = booking.slot_start
        place = "As before; with another psychologist, theirs"
        self.offer(psychologist=f"As before: {booking.psychologist}", place=place, length=_length(booking))

    def clean(self) -> dict[str, Any] | None:
        """Both sides are mailed, so a form sent as it was opened is taken for a slip."""
        cleaned = super().clean()
        if not self.errors and not self.changed_data:
            raise forms.ValidationError("Nothing was changed: choose another time, psychologist or place.")
        return cleaned

    def move(self) -> Move:
        """What was typed. Call after `is_valid()`."""
        return Move(**self.session())


def _length(booking: Booking) -> timedelta:
    if booking.slot_start is None or booking.slot_end is None:
        return policy.SESSION_LENGTH
    return booking.slot_end - booking.slot_start
