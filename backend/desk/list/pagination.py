"""The pages of the list of bookings, whose first are those who asked again."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from backend.bookings.models import Booking
from backend.desk.list.filters import AGAIN, PRIORITY_FIRST
from backend.desk.long_lists import LookaheadPaginator


class BookingPaginator(LookaheadPaginator[Booking]):
    """Reads rows in the order of an index.

    Whoever asked again stands first. Sorting by that would read the whole table, so they are asked for by themselves.
    """

    def _rows(self, first: int, last: int) -> Any:
        rows: Any = self.object_list
        if PRIORITY_FIRST not in rows.query.order_by:
            return rows[first:last]
        by_turn: QuerySet[Booking] = rows.order_by("-pk")
        ahead = list(by_turn.filter(AGAIN))
        others = by_turn.exclude(pk__in=[row.pk for row in ahead]) if ahead else by_turn
        return ahead[first:last] + list(others[max(0, first - len(ahead)) : max(0, last - len(ahead))])
