"""Who pays, and that it was paid at the desk."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils.safestring import mark_safe

from backend.bookings.lifecycle.front_desk import Handed, record_desk_payment, sponsor
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.bookings.machine import TAKES_PLACE, State
from backend.bookings.models import Booking
from backend.bookings.payment_status import PaymentStatus, left_paise, paid_payment, payment_status
from backend.bookings.refusals import ANSWERS
from backend.core.errors import Code
from backend.desk.booking.actions.action import Action, ActionForm, Decision, leads_on
from backend.payments import upi
from backend.payments.models import BANK_REFERENCE, BANK_REFERENCE_LONGEST, DeskMeans, PaymentMethod, VoidReason
from backend.people.models import Corporate


class RecordPaymentForm(ActionForm):
    """Without an answer it was cash, today: that is what one click records."""

    means = forms.ChoiceField(
        choices=DeskMeans.choices, required=False, initial=DeskMeans.CASH, label="How it came", widget=forms.RadioSelect
    )
    reference = forms.CharField(
        max_length=BANK_REFERENCE_LONGEST,
        required=False,
        validators=[BANK_REFERENCE],
        label="Reference",
        help_text="Of UPI, card or bank, as the receipt or statement has it; for the accountant.",
    )
    received_on = forms.DateField(
        required=False,
        label="Day on which it came",
        help_text="Empty: today.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    @property
    def picture(self) -> str:
        """The UPI address of the sum, to be scanned."""
        if not upi.is_offered() or not self.booking.amount_paise:
            return ""
        text = upi.address(self.booking.amount_paise, self.booking.acknowledgement_id)
        return mark_safe(upi.svg(text))  # noqa: S308  # segno draws it; the text is not in it

    @property
    def handed(self) -> Handed:
        typed = self.cleaned_data
        return Handed(DeskMeans(typed["means"] or DeskMeans.CASH), typed["reference"], typed["received_on"])


class RecordPayment(Action[RecordPaymentForm]):
    name = "record-payment"
    label = "Record desk payment"
    submit = "Record the payment"
    tone = "success"
    form = RecordPaymentForm

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        """Instead of a payment online, or at the practice once the session is confirmed."""
        if leads_on(booking, Booking.confirm):
            return True
        return booking.state in TAKES_PLACE and payment_status(booking) is PaymentStatus.DUE_AT_PRACTICE

    def run(self, decision: Decision[RecordPaymentForm]) -> None:
        record_desk_payment(decision.booking.pk, decision.form.handed, actor=decision.actor, now=decision.now)


class VoidPaymentForm(ActionForm):
    asks = "Say why, to see what follows."
    why = forms.ChoiceField(choices=VoidReason.choices, label="Why it was a mistake", widget=forms.RadioSelect)


class VoidPayment(Action[VoidPaymentForm]):
    name = "void-payment"
    label = "Correct desk payment"
    submit = "It was recorded by mistake"
    tone = "warning"
    form = VoidPaymentForm

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        payment = paid_payment(booking)
        if payment is None or payment.method != PaymentMethod.DESK:
            return False
        return left_paise(booking) == payment.captured_paise > 0  # what is promised back is not taken back

    def run(self, decision: Decision[VoidPaymentForm]) -> None:
        why = VoidReason(decision.typed["why"])
        void_desk_payment(decision.booking.pk, why, actor=decision.actor, now=decision.now)


class SponsorForm(ActionForm):
    asks = "Choose the corporate to see what follows."
    corporate = forms.ModelChoiceField(
        Corporate.objects.filter(is_active=True).order_by("name"),
        empty_label="Choose",
        label="Corporate that pays",
        error_messages={"invalid_choice": ANSWERS[Code.SPONSOR_UNKNOWN].sentence},
    )

    def fit(self) -> None:
        """Before approval a sponsor can be taken away again: a code may have been somebody else's."""
        corporate = self.fields["corporate"]
        assert isinstance(corporate, forms.ModelChoiceField)
        if self.booking.state == State.PENDING and self.booking.is_sponsored:
            corporate.required, corporate.empty_label = False, "Nobody: the visitor pays"


class Sponsor(Action[SponsorForm]):
    name = "sponsor"
    label = "Sponsor"
    submit = "A corporate pays"
    tone = "primary"
    form = SponsorForm

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        return leads_on(booking, Booking.approve, Booking.confirm)

    def run(self, decision: Decision[SponsorForm]) -> None:
        corporate = decision.typed["corporate"]
        corporate_id = corporate.pk if corporate else None
        sponsor(decision.booking.pk, corporate_id, actor=decision.actor, now=decision.now)
