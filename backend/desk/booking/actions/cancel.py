"""Cancel: the visitor is told, and gets back all that was paid, or nothing for a reason."""

from __future__ import annotations

from datetime import datetime

from django import forms

from backend.bookings.lifecycle.cancellation import RefundChoice, cancel_by_staff
from backend.bookings.models import Booking
from backend.bookings.payment_status import left_paise
from backend.core.formatting import money
from backend.desk.booking.actions.action import Action, Decision, NoteForm, leads_on

REFUND_NOTE_LONGEST: int = Booking._meta.get_field("refund_note").max_length or 0


class CancelForm(NoteForm):
    refund = forms.ChoiceField(
        choices=[(choice.value, "") for choice in RefundChoice],
        initial=RefundChoice.FULL.value,
        label="What the visitor gets back",
        widget=forms.RadioSelect,
    )
    refund_reason = forms.CharField(
        required=False,
        max_length=REFUND_NOTE_LONGEST,
        label="Why nothing is given back",
        help_text="Needed only then. Kept for the practice; the visitor does not read it.",
    )

    def fit(self) -> None:
        left = left_paise(self.booking)
        if left == 0:
            del self.fields["refund"], self.fields["refund_reason"]
            return
        names = {RefundChoice.FULL: f"All that was paid: {money(left)}", RefundChoice.NONE: "Nothing"}
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
            refund=RefundChoice(typed.get("refund", RefundChoice.FULL)),
            refund_reason=typed.get("refund_reason", ""),
            actor=decision.actor,
            now=decision.now,
            is_undoable=True,
        )
