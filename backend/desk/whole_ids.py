"""Searching records that a practice has by the million: by whole ids, each of which an index finds."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from backend.bookings.models import Booking
from backend.bookings.queries import normalize_acknowledgement_id


class FoundByIds:
    """For an admin page of records: an acknowledgement id finds those of its booking, and nothing else is looked for.

    `of_booking` is the column of the booking, or of its id. Any other word is one of the columns `whole_ids`, written
    out; where there are none, it is looked for in Django's way.
    """

    of_booking: ClassVar[str] = "booking"
    whole_ids: ClassVar[tuple[str, ...]] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        word = search_term.strip()
        if not word:
            return queryset, False
        if acknowledgement_id := normalize_acknowledgement_id(word):
            booking = Booking.objects.filter(acknowledgement_id=acknowledgement_id).values("pk")
            return self.of_bookings(queryset, booking), False
        if self.whole_ids:
            return queryset.filter(pk__in=_rows_of(queryset.model, self.whole_ids, word)), False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[misc,no-any-return]

    def of_bookings(self, queryset: QuerySet[Any], ids: QuerySet[Any, Any]) -> QuerySet[Any]:
        """Those rows that belong to these bookings."""
        return queryset.filter(**{f"{self.of_booking}__in": ids})


def _rows_of(model: type[Model], columns: tuple[str, ...], word: str) -> QuerySet[Any, Any]:
    """A union, each part by its index. Ids of ours are in capitals, and typed as people type."""
    found = [
        model._default_manager.filter(**{f"{column}__in": [word, word.upper()]}).order_by().values("pk")
        for column in columns
    ]
    return found[0].union(*found[1:])
