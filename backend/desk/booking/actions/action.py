"""What an action of staff is: a form about one booking, and what is decided with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django import forms
from django.http import QueryDict

from backend.bookings.access import Scope
from backend.bookings.models import Booking
from backend.desk.forms import NOTE_LONGEST, NoteField, style_fields


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

    @property
    def picture(self) -> str:
        """Beside the form, for the visitor at the counter; SVG of ours, empty for none."""
        return ""

    def keep_to_fees(self) -> None:
        """For who may not set a price: the psychologist's fee holds."""
        self.fields.pop("amount", None)

    def fit(self) -> None:
        """Leave out what does not matter to this booking, and name what does by its facts."""


class NoteForm(ActionForm):
    note_to_visitor = NoteField(
        required=False,
        max_length=NOTE_LONGEST,
        label="Note to the visitor",
        help_text=f"The visitor reads it in the mail, as it stands. Up to {NOTE_LONGEST} characters; empty: no note.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )


F = TypeVar("F", bound=ActionForm)


@dataclass(frozen=True)
class Decision(Generic[F]):
    """What somebody typed into a valid form, who they are and when it was."""

    form: F
    actor: str
    now: datetime

    @property
    def booking(self) -> Booking:
        return self.form.booking

    @property
    def typed(self) -> dict[str, Any]:
        return self.form.cleaned_data


class Action(ABC, Generic[F]):
    """`is_open` only decides whether the button is shown: whether an action may run is the lifecycle's to say."""

    name: str  # in the page's address
    label: str  # of the button on the booking's page, and the title of the action's own
    submit: str  # of the button that acts
    tone: str  # of both: Bootstrap's name of a colour
    form: type[F]
    scope = Scope.DESK  # who may

    @abstractmethod
    def is_open(self, booking: Booking, now: datetime) -> bool:
        """Whether it is possible at all."""

    @abstractmethod
    def run(self, decision: Decision[F]) -> None:
        """Call its intent. Raises Refused."""


def leads_on(booking: Booking, *transitions: Callable[..., None]) -> bool:
    """Whether the machine lets the booking take one of these steps."""
    names = {transition.__name__ for transition in transitions}
    return any(step.name in names for step in booking.get_available_state_transitions())
