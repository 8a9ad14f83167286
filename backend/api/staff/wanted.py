"""Which bookings staff look for: what they typed of old, and a parameter for each lookup of a column."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from backend.api.fields import ChoiceField, DayField, IdField, InstantField, LineField
from backend.api.staff.docs import BookingAnswer, WholeBookingAnswer
from backend.api.staff.fields import NamesField
from backend.api.staff.lists import ListRequest, any_of, day, instant, requested
from backend.api.staff.requests import MAYBE_EMPTY, OPTIONAL
from backend.bookings.machine import Reason, State
from backend.bookings.models import Mode, Origin, Outcome, PaymentMode
from backend.bookings.staff_queries import BookingFilter

_WHEN = "Please write the time with its offset, such as 2026-11-24T17:30:00+05:30."
_ID = LineField("Please give acknowledgement ids, such as MS-7K2M9P.", max_length=40)
_NUMBER = IdField("Please give ids.")


class FoundRequest(ListRequest):
    """The filters that are no lookups of one column, or had a name before there were lookups."""

    state = ChoiceField("Please choose one state, such as PENDING.", State, required=False, default="")
    mode = ChoiceField("Please choose ONLINE or OFFLINE.", Mode, required=False, default="")
    psychologist_id = IdField("Please give the psychologist's id.", **OPTIONAL)
    preferred_from = DayField("Please write the first day as YYYY-MM-DD.", **OPTIONAL)
    preferred_until = DayField("Please write the last day as YYYY-MM-DD.", **OPTIONAL)
    due_before = InstantField(_WHEN, **OPTIONAL)
    q = LineField("Please enter what you look for.", max_length=100, **MAYBE_EMPTY)
    after = LineField("Please give the last id of the page before.", max_length=40, **MAYBE_EMPTY)

    def wanted(self) -> BookingFilter:
        """The filters, cleaned."""
        given = self.validated_data
        values = {name: given[name] for name in BookingFilter.__dataclass_fields__ if name in given}
        return BookingFilter(text=given["q"], lookups=self.lookups(), **values)


def _lookups() -> dict[str, Any]:
    found: dict[str, Any] = {
        "state__in": any_of(ChoiceField("Please choose states, such as PENDING.", State)),
        "reason__in": any_of(ChoiceField("Please choose reasons.", Reason)),
        "origin__in": any_of(ChoiceField("Please choose origins.", Origin)),
        "outcome__in": any_of(ChoiceField("Please choose outcomes.", Outcome)),
        "payment_mode__in": any_of(ChoiceField("Please choose how they pay.", PaymentMode)),
        "acknowledgement_id__in": any_of(_ID),
        "psychologist_id__in": any_of(_NUMBER),
        "corporate_id__in": any_of(_NUMBER),
    }
    for name in ("slot_start", "created_at", "due_at", "pay_by", "closed_at"):
        found |= {f"{name}__gte": instant(), f"{name}__lt": instant()}
    return found | {"preferred_date__gte": day(), "preferred_date__lte": day()}


WantedRequest = requested(BookingAnswer, FoundRequest, **_lookups())


class BookingFieldsRequest(serializers.Serializer[Any]):
    """Of one booking."""

    fields = NamesField(list(WholeBookingAnswer().fields))  # type: ignore[assignment]  # hides Serializer.fields, on purpose
