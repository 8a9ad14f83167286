"""The form through which staff approve a request: it reads what was typed, asks the lifecycle and shows its answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django import forms
from django.http import QueryDict

from backend.bookings import policy
from backend.bookings.admin.display import instant, money, span
from backend.bookings.lifecycle import staff
from backend.bookings.lifecycle.staff import Approval
from backend.bookings.models import Booking, LedgerEntry, Mode
from backend.bookings.slots import Slot
from backend.errors import Code, Refused
from backend.outbox.models import Message, MessageState
from backend.people.models import Location, Psychologist

# What makes a link good is said at the model's field; a form field made by it would leave its validators to the model
LINK_VALIDATORS = Psychologist._meta.get_field("meeting_link").validators
MINUTES_MOST = 24 * 60  # what the field accepts; whether a length makes sense is the lifecycle's to say


class Answer(NamedTuple):
    """How a refusal is shown: the page's status, the field it belongs to (none: the whole form), and the sentence."""

    status: int
    field: str | None
    sentence: str


ANSWERS: dict[Code, Answer] = {
    Code.BOOKING_UNKNOWN: Answer(404, None, "This booking does not exist any more."),
    Code.STATE_REFUSES: Answer(409, None, "This request was dealt with before you. {last_step} Nothing was changed."),
    Code.PSYCHOLOGIST_REQUIRED: Answer(400, "psychologist", "Choose a psychologist who is active."),
    Code.SLOT_TAKEN: Answer(409, "slot_start", "The psychologist has another session at this time. {free_slots}"),
    Code.SLOT_PAST: Answer(400, "slot_start", "This time is in the past."),
    Code.SLOT_TOO_NEAR: Answer(
        409, "slot_start", "The visitor has to pay online, and this time is nearer than {payment_notice}."
    ),
    Code.SLOT_INVALID: Answer(
        400, "slot_start", "A session lasts at most {longest} and starts within the next {horizon}."
    ),
    Code.MEETING_LINK_REQUIRED: Answer(
        400, "meeting_link", "The session is online and the psychologist has no meeting link: give one."
    ),
    Code.ADDRESS_REQUIRED: Answer(
        400, "location", "The session is in person and the psychologist has no location: choose one."
    ),
    Code.GUARDIAN_CONSENT_REQUIRED: Answer(
        400, "guardian_consent", "The visitor is a minor: ask for the guardian's consent and record it."
    ),
    Code.AMOUNT_INVALID: Answer(400, "amount", "The amount must be between 0 and 100,000 rupees."),
}


def sentence(refused: Refused, booking: Booking) -> str:
    """What staff read when the lifecycle refuses to approve `booking`."""
    facts: dict[str, Callable[[], str]] = {
        "last_step": lambda: last_step(booking),
        "free_slots": lambda: _free_slots(refused.context.get("free_slots")),
        "payment_notice": lambda: span(policy.ONLINE_PAYMENT_NOTICE),
        "longest": lambda: span(policy.SESSION_LONGEST),
        "horizon": lambda: span(policy.SLOT_HORIZON),
    }
    text = ANSWERS[refused.code].sentence
    return text.format_map({name: fact() for name, fact in facts.items() if f"{{{name}}}" in text})


def last_step(booking: Booking) -> str:
    """Who did what last, and when."""
    entry = LedgerEntry.objects.filter(booking=booking).order_by("-sequence").first()
    if entry is None:
        return ""
    done = entry.intent.replace("_", " ")
    return f"It is now {entry.get_target_display()}: “{done}” by {entry.actor}, {instant(entry.at)}."


def done(booking: Booking) -> str:
    """What an approval did, and what the visitor is mailed because of it."""
    settled = f"{booking} is {booking.get_state_display()}: {booking.psychologist}, {instant(booking.slot_start)}."
    to_pay = f" {money(booking.amount_paise)} to be paid by {instant(booking.pay_by)}." if booking.pay_by else ""
    owed = Message.objects.filter(
        booking_id=booking.pk, ledger_sequence=booking.ledger_sequence, state=MessageState.WAITING
    )
    mails = ", ".join(
        message.kind.replace("_", " ")
        + (f" ({instant(message.not_before)})" if message.not_before > message.created_at else " (now)")
        for message in owed.order_by("not_before", "pk")
    )
    return f"{settled}{to_pay} Mails to the visitor: {mails or 'none'}."


def _free_slots(free: object) -> str:
    starts = [instant(slot.start) for slot in free if isinstance(slot, Slot)] if isinstance(free, list) else []
    return f"Free near it: {'; '.join(starts)}." if starts else "No free time was found near it."


class PsychologistChoice(forms.ModelChoiceField[Psychologist]):
    def label_from_instance(self, obj: Psychologist) -> str:
        fee = policy.SESSION_FEE_PAISE if obj.fee_paise is None else obj.fee_paise
        return f"{obj.full_name}, {money(fee)}"


class ApprovalForm(forms.Form):
    """What staff decide about one request. Only the fields that matter to this booking are shown."""

    psychologist = PsychologistChoice(
        Psychologist.objects.filter(is_active=True),
        required=False,
        empty_label="Choose",
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
    amount = forms.DecimalField(
        required=False,
        max_digits=10,
        decimal_places=2,
        label="Amount in rupees",
        help_text="Empty: the psychologist's fee. 0: nothing to pay.",
    )
    meeting_link = forms.CharField(
        required=False, validators=LINK_VALIDATORS, help_text="Empty: the psychologist's own."
    )
    location = forms.ModelChoiceField(
        Location.objects.order_by("name"), required=False, empty_label="The psychologist's own"
    )
    guardian_consent = forms.BooleanField(required=False, label="The guardian's consent was given to me")

    status = 200  # of the page that shows this form

    def __init__(self, booking: Booking, typed: QueryDict | None = None) -> None:
        super().__init__(typed, initial={"slot_start": [booking.preferred_date, booking.preferred_time_start]})
        self.booking = booking
        self.fields["slot_start"].label = f"Session starts ({policy.zone().key} time)"
        self.fields["length"].help_text = f"Empty: {span(policy.SESSION_LENGTH)}."
        if policy.SESSION_LENGTH % timedelta(minutes=1) == timedelta(0):
            self.initial["length"] = policy.SESSION_LENGTH // timedelta(minutes=1)
        del self.fields["location" if booking.mode == Mode.ONLINE else "meeting_link"]
        if booking.age is None or booking.age >= policy.ADULT_AGE:
            del self.fields["guardian_consent"]
        for name in set(self.fields) - {"slot_start", "guardian_consent"}:
            choice = isinstance(self.fields[name], forms.ModelChoiceField)
            self.fields[name].widget.attrs["class"] = "form-select" if choice else "form-control"

    def approval(self) -> Approval:
        """What was typed. Call after `is_valid()`."""
        typed = self.cleaned_data
        amount: Decimal | None = typed["amount"]
        return Approval(
            psychologist_id=typed["psychologist"].pk if typed["psychologist"] else None,
            slot_start=typed["slot_start"],
            slot_length=timedelta(minutes=typed["length"]) if typed["length"] else None,
            amount_paise=None if amount is None else int(amount * 100),
            meeting_link=typed.get("meeting_link", ""),
            location_id=typed["location"].pk if typed.get("location") else None,
            guardian_consent=typed.get("guardian_consent", False),
        )

    def decide(self, *, actor: str, now: datetime) -> Booking | None:
        """Approve as typed; None when the form or the lifecycle says no, which then stands beside its field."""
        self.status = 400
        if not self.is_valid():
            return None
        try:
            return staff.approve(self.booking.pk, self.approval(), actor=actor, now=now)
        except Refused as refused:
            answer = ANSWERS[refused.code]
            self.status = answer.status
            self.add_error(answer.field if answer.field in self.fields else None, sentence(refused, self.booking))
            return None
