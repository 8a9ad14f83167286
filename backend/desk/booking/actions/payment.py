"""Who pays, and that it was paid at the desk."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django import forms
from django.utils.safestring import mark_safe

from backend.bookings.lifecycle.desk_money import Handed, record_desk_payment
from backend.bookings.lifecycle.front_desk import sponsor
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.bookings.machine import TAKES_PLACE, State
from backend.bookings.models import Booking
from backend.bookings.payment_status import (
    OWED_HERE,
    desk_payments,
    left_paise,
    outstanding_paise,
    paid_paise,
    payment_status,
)
from backend.bookings.refusals import ANSWERS
from backend.core.errors import Code
from backend.core.formatting import money, rupees, short_day_and_time
from backend.desk.booking.actions.action import Action, ActionForm, Decision, leads_on
from backend.desk.forms import to_paise
from backend.payments import upi
from backend.payments.models import BANK_REFERENCE, BANK_REFERENCE_LONGEST, DeskMeans, Payment, VoidReason
from backend.people.models import Corporate


class RecordPaymentForm(ActionForm):
    """Without an answer it was all that is left, in cash, today: that is what one click records."""

    amount = forms.DecimalField(
        required=False, min_value=Decimal("0.01"), max_digits=10, decimal_places=2, label="Amount in rupees"
    )
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

    def fit(self) -> None:
        left, paid = outstanding_paise(self.booking), paid_paise(self.booking)
        before = f" {money(paid)} of {money(self.booking.amount_paise)} is paid." if paid else ""
        self.initial["amount"] = rupees(left)
        self.fields["amount"].help_text = f"{money(left)} is left to pay; less is a part of it.{before}"

    @property
    def picture(self) -> str:
        """The UPI address of what is left to pay, to be scanned."""
        left = outstanding_paise(self.booking)
        if not upi.is_offered() or not left:
            return ""
        text = upi.address(left, self.booking.acknowledgement_id)
        return mark_safe(upi.svg(text))  # noqa: S308  # segno draws it; the text is not in it

    @property
    def handed(self) -> Handed:
        typed = self.cleaned_data
        means = DeskMeans(typed["means"] or DeskMeans.CASH)
        return Handed(means, typed["reference"], typed["received_on"], to_paise(typed["amount"]))


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
        return booking.state in TAKES_PLACE and payment_status(booking) in OWED_HERE

    def run(self, decision: Decision[RecordPaymentForm]) -> None:
        record_desk_payment(decision.booking.pk, decision.form.handed, actor=decision.actor, now=decision.now)


def _named(payment: Payment) -> str:
    """How staff tell one part of a sum from another."""
    means = dict(DeskMeans.choices).get(payment.paid_by, payment.paid_by)
    what = " ".join(part for part in (means, payment.bank_reference) if part)
    return f"{money(payment.captured_paise)}, {what}, {short_day_and_time(payment.captured_at)}"


class VoidPaymentForm(ActionForm):
    asks = "Say why, to see what follows."
    payment = forms.ChoiceField(label="Which payment")
    why = forms.ChoiceField(choices=VoidReason.choices, label="Why it was a mistake", widget=forms.RadioSelect)

    def fit(self) -> None:
        """The last one, unless the sum was paid in parts."""
        standing = desk_payments(self.booking)
        if len(standing) < 2:
            del self.fields["payment"]
            return
        which = self.fields["payment"]
        assert isinstance(which, forms.ChoiceField)
        which.choices = [(one.reference, _named(one)) for one in reversed(standing)]


class VoidPayment(Action[VoidPaymentForm]):
    name = "void-payment"
    label = "Correct desk payment"
    submit = "It was recorded by mistake"
    tone = "warning"
    form = VoidPaymentForm

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        return bool(desk_payments(booking)) and left_paise(booking) == paid_paise(booking)  # nothing is promised back

    def run(self, decision: Decision[VoidPaymentForm]) -> None:
        why = VoidReason(decision.typed["why"])
        which = decision.typed.get("payment", "")
        void_desk_payment(decision.booking.pk, why, reference=which, actor=decision.actor, now=decision.now)


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
