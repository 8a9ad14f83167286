"""What a caller is asked: the site's questions as a form, and a slot if one is settled at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db import models

from backend.accounts.roles import mask_digits
from backend.bookings import policy
from backend.bookings.lifecycle.creation import Draft
from backend.bookings.models import Booking, Period
from backend.core import disclosures
from backend.core.formatting import practice_zone
from backend.desk.forms import style_fields
from backend.desk.guardian import NAMES as GUARDIAN
from backend.desk.guardian import GuardianFields
from backend.desk.navigation import local_instant
from backend.desk.phone.known_clients import KEPT
from backend.desk.session_fields import SlotField, choices, mode_words
from backend.people import intake
from backend.people.forms import AgeField, EmailAddressField, IntakeTextField, TimeOfDayField, place_phone_number
from backend.people.models import HoursMode
from backend.scheduling.chosen_slot import ChosenSlot, encode_slot
from backend.scheduling.free_slots import SlotSearch, free_slots

NOON = 14  # o'clock: between the site's morning and its evening
OFFERED_FOR, OFFERED_MOST = timedelta(days=14), 120  # slots in the list


class Paying(models.TextChoices):
    """What happens about the money of a slot that is settled on the phone."""

    MAILED = "mailed", "A link is mailed, or it is due at the practice"
    DESK = "desk", "It was paid at the desk, to me"


class CallerForm(GuardianFields, forms.ModelForm[Booking]):
    """What the site asks a visitor, and a slot if one is settled at once. The model lends lengths and choices; the
    lifecycle makes the row.

    `known` is an earlier booking of the caller: what is left empty of its numbers is taken from there.
    """

    offered = SlotField(
        required=False,
        label="Free slot, settled now",
        help_text="Chosen: it is approved at once, at the psychologist's fee, and the preferred date may stay empty.",
    )
    paying = forms.ChoiceField(
        choices=Paying.choices,
        initial=Paying.MAILED,
        required=False,
        label="Payment of the slot",
        widget=forms.RadioSelect,
    )
    full_name = IntakeTextField(intake.FULL_NAME)
    email = EmailAddressField(
        required=False,
        help_text="The id and every notice go there. Empty: you tell them by telephone, and they pay at the practice.",
    )
    phone_number = IntakeTextField(intake.PHONE_NUMBER, required=False, widget=forms.TextInput(attrs={"type": "tel"}))
    age = AgeField(required=False)
    emergency_contact = IntakeTextField(intake.EMERGENCY_CONTACT, required=False)
    city = IntakeTextField(intake.CITY, required=False)
    region = IntakeTextField(intake.REGION, label="State or province", help_text=f"Empty: {intake.NOT_GIVEN}.")
    country = IntakeTextField(intake.COUNTRY, required=False)
    preferred_time_start = TimeOfDayField(intake.TIME_START, label="From")
    preferred_time_end = TimeOfDayField(intake.TIME_END, label="Until")
    sponsor_code = IntakeTextField(intake.SPONSOR_CODE, label="Code of a sponsor")
    user_message = IntakeTextField(intake.USER_MESSAGE, label="Message", widget=forms.Textarea(attrs={"rows": 3}))
    consent = forms.BooleanField(label="The caller agrees that we keep this to handle the request")

    class Meta:
        model = Booking
        fields = (
            "full_name", "email", "phone_number", "age", "gender", "emergency_contact", "city", "region", "country",
            "mode", "preferred_date", "preferred_period", "preferred_time_start", "preferred_time_end", "payment_mode",
            "sponsor_code", "user_message",
        )  # fmt: skip
        labels = {"payment_mode": "Pays"}
        widgets = {"preferred_date": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}

    def __init__(self, *args: Any, now: datetime, known: Booking | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        self.initial.setdefault("country", intake.HOME)
        for name in KEPT if known else ():
            with disclosures.unseen():
                self.fields[name].help_text = f"Empty: as before, {mask_digits(getattr(known, name))}."
        for name in ("preferred_date", "preferred_period"):
            self.fields[name].required = not self.data.get("offered")
        self._offer(now)
        self.order_fields([name for name in self.fields if name not in (*GUARDIAN, "consent")])
        for name in GUARDIAN:
            self.fields[name].label = f"Under {policy.ADULT_AGE}: {self.fields[name].label}"
        for name in ("preferred_time_start", "preferred_time_end"):
            self.fields[name].help_text = "Of the custom hours."
        style_fields(self)

    def _offer(self, now: datetime) -> None:
        """From now on, or from a time that was dragged in the calendar, whose first free slot is chosen already."""
        dragged = _dragged(self.initial)
        soonest = now + policy.ONLINE_PAYMENT_NOTICE  # what is nearer cannot be approved for payment
        begin = max(soonest, dragged[0]) if dragged else soonest
        free = free_slots(SlotSearch(begin, begin + OFFERED_FOR, despite_notice=True), now=now)[:OFFERED_MOST]
        self._offers = {(slot.psychologist_id, slot.start): slot.offers for slot in free}
        field = self.fields["offered"]
        assert isinstance(field, SlotField)
        field.choices = [("", "None: it waits for approval"), *choices(free, with_mode=True)]
        if dragged:
            whose = self.initial.get("psychologist") or None
            fitting = (slot for slot in free if slot.start < dragged[1] and whose in (None, str(slot.psychologist_id)))
            self.initial.setdefault("offered", next(map(encode_slot, fitting), ""))
        if not free and not self.data.get("offered"):
            for name in ("offered", "paying"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Hours belong to the custom period alone, and there to both ends; a number without code to the country."""
        typed = super().clean() or self.cleaned_data
        place_phone_number(self)
        for name in KEPT if self.known else ():
            with disclosures.unseen():
                typed[name] = typed.get(name) or getattr(self.known, name)
        if self.chosen is not None:
            at = self.chosen.start.astimezone(practice_zone())
            typed["preferred_date"], typed["preferred_period"] = at.date(), _period(at)
            self._refuse_another_mode(self.chosen)
        names = ("preferred_time_start", "preferred_time_end")
        if not self.errors.keys() & set(names):
            are_custom = typed.get("preferred_period") == Period.CUSTOM
            found = intake.hours(*(typed.get(name) for name in names), are_custom=are_custom)
            typed.update(zip(names, found, strict=True))
        return typed

    def _refuse_another_mode(self, chosen: ChosenSlot) -> None:
        """Before anything is recorded; what is not offered at all is the lifecycle's to refuse."""
        mode = self.cleaned_data.get("mode")
        offers = self._offers.get((chosen.psychologist_id, chosen.start), HoursMode.BOTH)
        if mode and offers not in (mode, HoursMode.BOTH):
            self.add_error("offered", f"This time is {mode_words(offers)}. Choose another, or another kind of session.")

    @property
    def chosen(self) -> ChosenSlot | None:
        """The slot that was settled on the phone."""
        found: ChosenSlot | None = self.cleaned_data.get("offered")
        return found

    def draft(self) -> Draft:
        """What was typed. Call after `is_valid()`."""
        typed = {name: value for name, value in self.cleaned_data.items() if name in Draft.__dataclass_fields__}
        more: dict[str, Any] = {"region": typed["region"] or intake.NOT_GIVEN}
        if self.chosen is not None:
            wish = {"preferred_psychologist_id": self.chosen.psychologist_id, "preferred_slot_start": self.chosen.start}
            more |= wish
        return Draft(**{**typed, **more})


def _dragged(initial: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """The span in the address, as the calendar writes it there."""
    names = ("preferred_time_start", "preferred_time_end")
    start, end = (local_instant(f"{initial.get('preferred_date', '')}T{initial.get(name, '')}") for name in names)
    return (start, end) if start and end and start < end else None


def _period(at: datetime) -> str:
    """The part of the day that holds it, else the nearer."""
    return Period.MORNING if at.hour < NOON else Period.EVENING
