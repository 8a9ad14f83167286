"""Money back: that it is given, and that it has reached the visitor where somebody's hand must give it."""

from __future__ import annotations

from datetime import datetime

from django import forms

from backend.bookings.lifecycle.refunds import grant_refund, record_refund_made
from backend.bookings.models import Booking
from backend.bookings.payment_status import CALLED_OFF, left_paise, outstanding_paise, refundable_paise
from backend.core.formatting import money
from backend.desk.booking.actions.action import Action, ActionForm, Decision
from backend.desk.forms import to_paise
from backend.payments.models import OVER, PaymentMethod, Refund, RefundState

WHY_BY_HAND = {
    RefundState.REFUSED: "refused by the gateway",
    RefundState.UNFINISHED: "not finished by the gateway: ask there first",
}


class RefundForm(ActionForm):
    amount = forms.DecimalField(required=False, max_digits=10, decimal_places=2, label="Amount in rupees")

    def fit(self) -> None:
        left = money(left_paise(self.booking))
        self.fields["amount"].help_text = f"At most {left}. Empty: all of it."


class GrantRefund(Action[RefundForm]):
    name = "refund"
    label = "Refund"
    submit = "Give money back"
    tone = "primary"
    form = RefundForm

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        is_part = bool(outstanding_paise(booking)) and booking.state not in CALLED_OFF  # it would be owed again
        return left_paise(booking) > 0 and not is_part

    def run(self, decision: Decision[RefundForm]) -> None:
        grant_refund(decision.booking.pk, to_paise(decision.typed["amount"]), actor=decision.actor, now=decision.now)


class RefundChoiceField(forms.ModelChoiceField[Refund]):
    def label_from_instance(self, obj: Refund) -> str:
        why = WHY_BY_HAND.get(RefundState(obj.state), "to be handed out")
        if obj.refused_why and obj.state == RefundState.REFUSED:
            why = f"{why}: {obj.refused_why}"
        return f"{money(obj.amount_paise)}, {why} ({obj.reference})"


class RefundMadeForm(ActionForm):
    refund = RefundChoiceField(
        Refund.objects.none(),
        empty_label=None,
        label="Refund that you handed out, or settled outside this system",
        error_messages={"invalid_choice": "This refund is settled already, or on its way through the gateway."},
    )

    def fit(self) -> None:
        refund = self.fields["refund"]
        assert isinstance(refund, RefundChoiceField)
        owed = [one.pk for one in refunds_to_settle(self.booking)]
        refund.queryset = Refund.objects.filter(pk__in=owed)
        self.initial["refund"] = next(iter(refund.queryset.values_list("pk", flat=True)), None)


class RefundMade(Action[RefundMadeForm]):
    name = "refund-made"
    label = "Mark refund made"
    submit = "The money was given back"
    tone = "success"
    form = RefundMadeForm

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        return bool(refunds_to_settle(booking))

    def run(self, decision: Decision[RefundMadeForm]) -> None:
        record_refund_made(decision.typed["refund"].pk, actor=decision.actor, now=decision.now)


def refunds_to_settle(booking: Booking) -> list[Refund]:
    """Refunds that somebody must hand out: those of desk money, and those that the gateway refused or left unfinished.

    Not a refused one whose money was promised anew since: it would be given twice.
    """
    refunds = Refund.objects.filter(payment__booking=booking).exclude(state__in=OVER).select_related("payment")
    return [refund for refund in refunds.order_by("pk") if _is_ours_to_settle(refund)]


def _is_ours_to_settle(refund: Refund) -> bool:
    if refund.state == RefundState.REFUSED:
        return refund.amount_paise <= refundable_paise(refund.payment)
    return refund.payment.method == PaymentMethod.DESK or refund.state == RefundState.UNFINISHED
