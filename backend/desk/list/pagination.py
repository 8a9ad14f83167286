"""The pages of a long list, without counting its table."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from backend.bookings.models import Booking
from backend.desk.list.filters import AGAIN, PRIORITY_FIRST

PAGES_AHEAD = 9  # that are looked for and linked; who wants more filters or goes on from there


class LookaheadPaginator(Paginator[Booking]):
    """Counts as far as some pages ahead, and reads rows in the order of an index.

    Whoever asked again stands first. Sorting by that would read the whole table, so they are asked for by themselves.
    """

    at_page = 1  # which page is looked at, set by the list

    @cached_property
    def count(self) -> int:
        """Never more than ends `PAGES_AHEAD` pages ahead, and one row."""
        rows: Any = self.object_list
        return int(rows.order_by()[: self._far()].count())

    @property
    def is_more(self) -> bool:
        """Whether there may be rows behind those that were counted."""
        return self.count == self._far()

    def page(self, number: int | str) -> Page[Booking]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        return Page(self._rows(first, first + self.per_page), number, self)

    def _far(self) -> int:
        return (self.at_page + PAGES_AHEAD) * self.per_page + 1

    def _rows(self, first: int, last: int) -> Any:
        rows: Any = self.object_list
        if PRIORITY_FIRST not in rows.query.order_by:
            return rows[first:last]
        by_turn: QuerySet[Booking] = rows.order_by("-pk")
        ahead = list(by_turn.filter(AGAIN))
        others = by_turn.exclude(pk__in=[row.pk for row in ahead]) if ahead else by_turn
        return ahead[first:last] + list(others[max(0, first - len(ahead)) : max(0, last - len(ahead))])
