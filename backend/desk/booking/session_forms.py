"""The forms that settle a session: who, when and where; to approve a request, or to move what was approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.lifecycle.rescheduling import Move
from backend.bookings.lifecycle.session_terms import Approval, fee_paise
from backend.bookings.models import Booking, Mode
from backend.bookings.refusals import ANSWERS
from backend.core.errors import Code
from backend.core.formatting import practice_zone, short_span
from backend.desk.booking.forms import ActionForm, to_paise
from backend.desk.booking.slot_choices import SlotField, suggested
from backend.desk.display import money
from backend.people.models import Location, Psychologist, TimeOff, WorkingHours
from backend.scheduling.chosen_slot import Chosen
from backend.scheduling.suggestions import suggestions

# What makes a link good is said at the model's field; a form field made by it would leave its validators to the model
LINK_VALIDATORS = Psychologist._meta.get_field("meeting_link").validators
MINUTES_MOST = 24 * 60  # what the field accepts; whether a length makes sense is the lifecycle's to say


class PsychologistChoice(forms.ModelChoiceField[Psychologist]):
    def label_from_instance(self, obj: Psychologist) -> str:
        return f"{obj.full_name}, {money(fee_paise(obj))}"


class SlotStartField(forms.SplitDateTimeField):
    """Date and hour, in the practice's zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.SplitDateTimeWidget(
            date_attrs={"type": "date", "class": "form-control"},
            time_attrs={"type": "time", "class": "form-control"},
            date_format="%Y-%m-%d",
            time_format="%H:%M",
        )
        super().__init__(widget=widget, **options)


class SessionForm(ActionForm):
    psychologist = PsychologistChoice(
        Psychologist.objects.filter(is_active=True),
        required=False,
        error_messages={"invalid_choice": ANSWERS[Code.PSYCHOLOGIST_REQUIRED].sentence},
    )
    slot_start = SlotStartField()
    length = forms.IntegerField(required=False, min_value=1, max_value=MINUTES_MOST, label="Length in minutes")
    meeting_link = forms.CharField(required=False, validators=LINK_VALIDATORS)
    location = forms.ModelChoiceField(Location.objects.order_by("name"), required=False)
    despite_hours = forms.BooleanField(required=False, label="Book it although it is outside the psychologist's hours")

    def fit(self) -> None:
        self.fields["slot_start"].label = f"Session starts ({practice_zone().key} time)"
        del self.fields["location" if self.booking.mode == Mode.ONLINE else "meeting_link"]
        if not somebody_has_hours():
            del self.fields["despite_hours"]

    def offer(self, *, psychologist: str, place: str, length: timedelta) -> None:
        """Say what an empty choice means, and start from the usual length."""
        for name, empty_label in (("psychologist", psychologist), ("location", place)):
            field = self.fields.get(name)
            if isinstance(field, forms.ModelChoiceField):
                field.empty_label = empty_label
        if "meeting_link" in self.fields:
            self.fields["meeting_link"].help_text = f"Empty: {place[0].lower()}{place[1:]}."
        self.fields["length"].help_text = f"Empty: {short_span(length)}."
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
            "despite_hours": typed.get("despite_hours", False),
        }


class ApprovalForm(SessionForm):
    """What staff decide about one request. Only the fields that matter to this booking are shown."""

    asks = "Choose a psychologist and a time to see what follows."
    offered = SlotField(
        required=False,
        label="Free slot",
        help_text="Nearest to what the visitor asked for. One chosen here counts instead of what is typed below.",
    )
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
    pay_if_not_sponsored = forms.BooleanField(
        required=False, label="If the sponsor does not cover this session, ask the visitor to pay"
    )
    field_order = ("offered", "psychologist", "slot_start", "length", "amount", "meeting_link", "location")

    def fit(self) -> None:
        super().fit()
        booking = self.booking
        self._offer_slots()
        when = [booking.preferred_date, booking.preferred_time_start]
        self.initial["slot_start"] = booking.preferred_slot_start or when
        self.initial["psychologist"] = booking.preferred_psychologist_id
        self.offer(psychologist="Choose", place="The psychologist's own", length=policy.SESSION_LENGTH)
        if Psychologist.objects.filter(session_minutes__isnull=False).exists():  # then no length is everybody's
            self.initial.pop("length", None)
            self.fields["length"].help_text = "Empty: the psychologist's usual length."
        if not booking.is_minor:
            del self.fields["guardian_consent"]
        if booking.cancellation_requested_at is None:
            del self.fields["despite_cancellation_request"]
        if not booking.is_sponsored:
            del self.fields["pay_if_not_sponsored"]

    def _offer_slots(self) -> None:
        found = suggestions(self.booking, now=timezone.now())
        if not found and not self.data.get("offered"):
            del self.fields["offered"]
            return
        field = self.fields["offered"]
        assert isinstance(field, SlotField)
        field.choices = suggested(found)

    def clean(self) -> dict[str, Any] | None:
        """A free slot that was chosen counts, however little of another time was typed."""
        cleaned = super().clean()
        if self.cleaned_data.get("offered"):
            for name in ("psychologist", "slot_start", "length"):
                self.errors.pop(name, None)
                self.cleaned_data[name] = None
        return cleaned

    def session(self) -> dict[str, Any]:
        """What was typed, or the free slot that was chosen."""
        chosen: Chosen | None = self.cleaned_data.get("offered")
        return super().session() | (
            {"psychologist_id": chosen.psychologist_id, "slot_start": chosen.start} if chosen else {}
        )

    def approval(self) -> Approval:
        """What was typed. Call after `is_valid()`."""
        typed = self.cleaned_data
        return Approval(
            **self.session(),
            amount_paise=to_paise(typed["amount"]),
            guardian_consent=typed.get("guardian_consent", False),
            despite_cancellation_request=typed.get("despite_cancellation_request", False),
            pay_if_not_sponsored=typed.get("pay_if_not_sponsored", False),
        )


class MoveForm(SessionForm):
    """Another time, psychologist or place for a session that has one."""

    asks = "Choose another time, psychologist or place to see what follows."

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


def somebody_has_hours() -> bool:
    """Whether any time can be outside of them."""
    return WorkingHours.objects.exists() or TimeOff.objects.exists()


def _length(booking: Booking) -> timedelta:
    if booking.slot_start is None or booking.slot_end is None:
        return policy.SESSION_LENGTH
    return booking.slot_end - booking.slot_start
