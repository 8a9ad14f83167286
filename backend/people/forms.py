"""Fields of forms in which staff type what a person told them: judged by `intake`, in its words."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from backend.people import addresses, intake, phones


class IntakeTextField(forms.CharField):
    """The answer to a question; its own `required` says whether it may be left out."""

    def __init__(self, question: intake.TextQuestion, **options: Any) -> None:
        messages = {"required": question.ask}
        super().__init__(**{"required": not question.is_optional, "error_messages": messages, **options})
        self.question = question
        self.validators = []  # Django's would refuse some in words of their own
        self.widget.attrs.setdefault("maxlength", str(question.longest))

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        return self.question.parse(text) if text else ""


def place_phone_number(form: forms.BaseForm) -> None:
    """A telephone number that was typed without its country's code belongs to the country beside it."""
    typed = form.cleaned_data
    if typed.get("phone_number"):
        text = form.data[form.add_prefix("phone_number")]
        typed["phone_number"] = phones.canonical(text.strip(), typed.get("country") or "")


class AgeField(forms.IntegerField):
    def __init__(self, **options: Any) -> None:
        messages = {"required": intake.AGE.ask}
        super().__init__(min_value=intake.AGE.least, max_value=intake.AGE.most, error_messages=messages, **options)
        self.validators = []

    def to_python(self, value: Any) -> int | None:
        return None if value in self.empty_values else intake.AGE.parse(value)


class TimeOfDayField(forms.TimeField):
    def __init__(self, question: intake.TimeQuestion, **options: Any) -> None:
        widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
        super().__init__(required=False, widget=widget, **options)
        self.question = question

    def to_python(self, value: Any) -> Any:
        return None if value in self.empty_values else self.question.parse(value)


class EmailAddressField(IntakeTextField):
    """A mail address of anybody we write to, clients or not."""

    def __init__(self, **options: Any) -> None:
        super().__init__(intake.EMAIL, widget=forms.EmailInput(), **options)


class DomainField(forms.CharField):
    """What follows the @, as the addresses in it are kept."""

    def to_python(self, value: Any) -> str:
        try:
            return addresses.canonical_domain(super().to_python(value) or "")
        except ValueError as error:
            raise ValidationError("Write it as in acme.example.") from error
