"""What the desk's forms share: looks, the form as it was opened, a note, rupees, and a refusal beside its field."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from django.forms.utils import pretty_name
from django.http import QueryDict

from backend.bookings.models import Booking
from backend.bookings.refusals import ANSWERS, staff_sentence
from backend.core.errors import Refused

F = TypeVar("F", bound=forms.BaseForm)
NOTE_LONGEST: int = Booking._meta.get_field("note_to_visitor").max_length or 0
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


class NoteField(forms.CharField):
    def to_python(self, value: Any) -> str | None:
        """Browsers count and show one character where a line ends, and send two."""
        text: str | None = super().to_python(value)
        return text and text.replace("\r\n", "\n")


def refuse(form: forms.BaseForm, refused: Refused, booking: Booking | None = None) -> int:
    """Show the refusal beside its field; the page's status."""
    answer = ANSWERS[refused.code]
    field = answer.desk_field
    form.add_error(field if field in form.fields else None, staff_sentence(refused, booking))
    return answer.status
