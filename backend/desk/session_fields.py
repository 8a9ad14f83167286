"""The fields with which a session is typed: a free slot, or a start and a psychologist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from backend.bookings.lifecycle.session_terms import fee_paise
from backend.bookings.models import Mode
from backend.bookings.refusals import NOT_OFFERED
from backend.core.formatting import money, short_day_and_time
from backend.people.models import HoursMode, Psychologist, TimeOff, WorkingHours
from backend.scheduling import chosen_slot
from backend.scheduling.free_slots import FreeSlot
from backend.scheduling.rebooking_options import RebookingOptions
from backend.scheduling.suggestions import Suggestion

TYPED = ("", "None of these: as typed below")
MINUTES_MOST = 24 * 60  # what the field accepts; whether a length makes sense is the lifecycle's to say


class SlotField(forms.ChoiceField):
    """A free slot, as `Chosen`; empty is `None`. Whether it is still free is the lifecycle's to say."""

    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        chosen = chosen_slot.decode_slot(str(value))
        if chosen is None:
            raise forms.ValidationError(NOT_OFFERED)
        return chosen

    def validate(self, value: Any) -> None:
        """What was offered a moment ago is understood: the lifecycle tells that it is gone, and what is free."""
        if value is None and self.required:
            raise forms.ValidationError(self.error_messages["required"], code="required")


def mode_words(offers: str) -> str:
    """`online only` or `in person only`."""
    return f"{Mode(offers).label.lower()} only"


def choices(slots: Iterable[FreeSlot], *, with_mode: bool = False) -> list[tuple[str, str]]:
    """`(value, "Thu 26 Nov 2026, 10:00 IST, Dr. Meera Iyer")` each; `with_mode` says what suits one kind of session."""
    names = dict(Psychologist.objects.values_list("pk", "full_name"))
    return [
        (
            chosen_slot.encode_slot(slot),
            f"{short_day_and_time(slot.start)}, {names[slot.psychologist_id]}" + (_only(slot) if with_mode else ""),
        )
        for slot in slots
    ]


def _only(slot: FreeSlot) -> str:
    return "" if slot.offers == HoursMode.BOTH else f", {mode_words(slot.offers)}"


def suggested(found: list[Suggestion]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Those that fit what the visitor asked for, and apart from them those that come near it."""
    fitting = choices(one.slot for one in found if one.fits)
    near = choices(one.slot for one in found if not one.fits)
    groups = (("As the visitor asked", fitting), ("Near to it", near))
    return [(name, group) for name, group in groups if group]


def instead(found: RebookingOptions) -> list[tuple[str, list[tuple[str, str]]]]:
    """Other times for a session that is held: those of its psychologist, and apart from them those of others."""
    groups = (("The same psychologist", found.same), ("Another psychologist", found.others))
    return [(name, choices(slots)) for name, slots in groups if slots]


class PsychologistChoice(forms.ModelChoiceField[Psychologist]):
    def label_from_instance(self, obj: Psychologist) -> str:
        return f"{obj.full_name}, {money(fee_paise(obj))}"


class SlotStartField(forms.SplitDateTimeField):
    """Date and hour, in the practice's zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.SplitDateTimeWidget(
            date_attrs={"type": "date", "class": "form-control"},
            time_attrs={"type": "time", "class": "form-control"},
            date_format="%Y-%m-%d",
            time_format="%H:%M",
        )
        super().__init__(widget=widget, **options)


def somebody_has_hours() -> bool:
    """Whether any time can be outside of them."""
    return WorkingHours.objects.exists() or TimeOff.objects.exists()
