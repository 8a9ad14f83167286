"""Cancel: whose wish it is, and what of the money comes back; the visitor is told."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils import timezone

from backend.bookings.lifecycle.cancellation import (
    CalledOffBy,
    RefundChoice,
    cancel_by_staff,
    terms_when_called_off,
)
from backend.bookings.models import Booking
from backend.bookings.payment_status import left_paise
from backend.core.formatting import money
from backend.desk.booking.actions.action import Action, Decision, NoteForm, leads_on
from backend.desk.forms import to_paise

REFUND_NOTE_LONGEST: int = Booking._meta.get_field("refund_note").max_length or 0


class CancelForm(NoteForm):
    asks = "Say who calls it off to see what follows."
    called_off_by = forms.ChoiceField(
        choices=[
            (CalledOffBy.PRACTICE.value, "The practice"),
            (CalledOffBy.VISITOR.value, "The visitor, who asked us to cancel"),
        ],
        label="Who calls it off",
        help_text="The visitor's mail, the refund and the numbers follow from it.",
        widget=forms.RadioSelect,
    )
    refund = forms.ChoiceField(
        choices=[(choice.value, "") for choice in RefundChoice],
        initial=RefundChoice.RULES.value,
        label="What the visitor gets back",
        widget=forms.RadioSelect,
    )
    amount = forms.DecimalField(
        required=False, max_digits=10, decimal_places=2, label="The part in rupees", help_text="Only for a part."
    )
    refund_reason = forms.CharField(
        required=False,
        max_length=REFUND_NOTE_LONGEST,
        label="Why less is given back than the rules give",
        help_text="Needed only then. Kept for the practice; the visitor does not read it.",
    )
    field_order = ("called_off_by", "refund", "amount", "refund_reason", "note_to_visitor")

    def fit(self) -> None:
        if self.booking.cancellation_requested_at is not None:
            self.initial["called_off_by"] = CalledOffBy.VISITOR.value
        left = left_paise(self.booking)
        if left == 0:
            del self.fields["refund"], self.fields["amount"], self.fields["refund_reason"]
            return
        visitors = terms_when_called_off(self.booking, CalledOffBy.VISITOR, now=timezone.now()).refund_paise
        theirs = money(visitors) if visitors else "nothing"
        names = {
            RefundChoice.RULES: f"By the rules: {money(left)} if we call it off, {theirs} if the visitor does",
            RefundChoice.FULL: f"All that was paid: {money(left)}",
            RefundChoice.PART: "A part",
            RefundChoice.NONE: "Nothing",
        }
        refund = self.fields["refund"]
        assert isinstance(refund, forms.ChoiceField)
        refund.choices = [(choice.value, names[choice]) for choice in RefundChoice]


class Cancel(Action[CancelForm]):
    name = "cancel"
    label = "Cancel"
    submit = "Cancel and tell the visitor"
    tone = "danger"
    form = CancelForm

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        return leads_on(booking, Booking.cancel)

    def run(self, decision: Decision[CancelForm]) -> None:
        typed = decision.typed
        cancel_by_staff(
            decision.booking.pk,
            note_to_visitor=typed["note_to_visitor"],
            refund=RefundChoice(typed.get("refund", RefundChoice.RULES)),
            refund_reason=typed.get("refund_reason", ""),
            actor=decision.actor,
            now=decision.now,
            is_undoable=True,
            called_off_by=CalledOffBy(typed["called_off_by"]),
            amount_paise=to_paise(typed.get("amount")),
        )
