"""The forms of what staff do with a booking: they read what was typed; whether it holds is the lifecycle's to say."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from django.forms.utils import pretty_name
from django.http import QueryDict

from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.machine import State
from backend.bookings.models import Booking, Outcome
from backend.bookings.payment_status import left_paise
from backend.bookings.refusals import ANSWERS
from backend.core.errors import Code
from backend.desk.booking.refunds_to_settle import refunds_to_settle
from backend.desk.display import money
from backend.payments.models import Refund, RefundState
from backend.people.models import Corporate

F = TypeVar("F", bound=forms.BaseForm)
NOTE_LONGEST: int = Booking._meta.get_field("note_to_visitor").max_length or 0
REFUND_NOTE_LONGEST: int = Booking._meta.get_field("refund_note").max_length or 0
_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (  # Bootstrap's; the first that fits
    (forms.RadioSelect, "form-check-input"),
    (forms.CheckboxInput, "form-check-input"),
    (forms.Select, "form-select"),
    (forms.Widget, "form-control"),
)


def to_paise(rupees: Decimal | None) -> int | None:
    """What was typed in rupees; nothing typed stays nothing."""
    return None if rupees is None else int(rupees * 100)


def style_fields(form: forms.BaseForm) -> None:
    """Give every field the looks of the theme, and the browser the id of what explains it."""
    for name, field in form.fields.items():
        if isinstance(field.widget, forms.MultiWidget):  # one label names neither of its two boxes
            for box, what in zip(field.widget.widgets, ("day", "time"), strict=True):
                box.attrs["aria-label"] = f"{field.label or pretty_name(name)}, {what}"
        else:
            fitting = next(looks for widget, looks in _CLASSES if isinstance(field.widget, widget))
            field.widget.attrs.setdefault("class", fitting)


def as_opened(form: forms.BaseForm) -> QueryDict:
    """What a browser sends of a form that nobody has touched."""
    sent = QueryDict(mutable=True)
    for box in form:
        for name, value in _sent(box.html_name, box.field.widget, box.value()):
            sent[name] = value
    return sent


def _sent(name: str, widget: forms.Widget, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(widget, forms.MultiWidget):
        values = value if isinstance(value, list) else widget.decompress(value) or []
        for number, (part, one) in enumerate(zip(widget.widgets, values, strict=True)):
            yield from _sent(f"{name}_{number}", part, one)
    elif not isinstance(widget, forms.CheckboxInput):
        shown = widget.format_value(value)
        yield name, str((shown[0] if shown else "") if isinstance(shown, list) else shown or "")
    elif value:
        yield name, "on"


def opened(form: F) -> F:
    """The form as it comes back when nobody touches it; not built anew, which may search for slots."""
    sent = copy(form)
    sent.data, sent.is_bound = as_opened(form), True
    vars(sent)["_bound_fields_cache"] = {}  # else its boxes lead to the form that they were made for
    return sent


class ActionForm(forms.Form):
    """What staff type to decide about `booking`. Without fields: they only confirm.

    `asks` stands where consequences would, as long as too little is typed to foretell them.
    """

    asks = "Fill in the form to see what follows."

    def __init__(
        self, booking: Booking, typed: QueryDict | None = None, *, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(typed, initial=initial)
        self.booking = booking
        self.fit()
        style_fields(self)

    def fit(self) -> None:
        """Leave out what does not matter to this booking, and name what does by its facts."""


class NoteField(forms.CharField):
    def to_python(self, value: Any) -> str | None:
        """Browsers count and show one character where a line ends, and send two."""
        text: str | None = super().to_python(value)
        return text and text.replace("\r\n", "\n")


class NoteForm(ActionForm):
    note_to_visitor = NoteField(
        required=False,
        max_length=NOTE_LONGEST,
        label="Note to the visitor",
        help_text=f"The visitor reads it in the mail, as it stands. Up to {NOTE_LONGEST} characters; empty: no note.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )


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


class RefundForm(ActionForm):
    amount = forms.DecimalField(required=False, max_digits=10, decimal_places=2, label="Amount in rupees")

    def fit(self) -> None:
        left = money(left_paise(self.booking))
        self.fields["amount"].help_text = f"At most {left}. Empty: all of it."


class RefundChoiceField(forms.ModelChoiceField[Refund]):
    def label_from_instance(self, obj: Refund) -> str:
        why = "refused by the gateway" if obj.state == RefundState.REFUSED else "to be handed out"
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


class OutcomeForm(ActionForm):
    asks = "Choose what became of the session to see what follows."
    outcome = forms.ChoiceField(label="What became of the session", widget=forms.RadioSelect)

    def fit(self) -> None:
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)
        outcome.choices = [choice for choice in Outcome.choices if choice[0] != self.booking.outcome]
        if self.booking.outcome != Outcome.UNRECORDED:
            outcome.help_text = f"Recorded so far: {self.booking.get_outcome_display()}."
