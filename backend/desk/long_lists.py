"""The pages of a long list, without counting its table."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

PAGES_AHEAD = 9  # that are looked for and linked; who wants more filters or goes on from there
T = TypeVar("T", bound=Model)


class LookaheadPaginator(Paginator[T]):
    """Counts as far as some pages ahead."""

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

    def _far(self) -> int:
        return (self.at_page + PAGES_AHEAD) * self.per_page + 1


class LongList:
    """For an admin page whose list may be long: neither the table nor what a search found is counted to its end."""

    paginator: ClassVar[type[Paginator[Any]]] = LookaheadPaginator
    show_full_result_count: ClassVar[bool] = False
    list_per_page: ClassVar[int] = 50
    list_max_show_all: ClassVar[int] = 0

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Paginator[Any]:
        """Which looks ahead from the page that is asked for."""
        found = self.paginator(*args, **kwargs)
        page = request.GET.get("p", "1")
        if isinstance(found, LookaheadPaginator) and page.isdecimal() and len(page) < 7:
            found.at_page = int(page)
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        shown = getattr(answer, "context_data", None) or {}
        if isinstance(changes := shown.get("cl"), ChangeList):
            paginator = changes.paginator
            shown["is_more"] = isinstance(paginator, LookaheadPaginator) and paginator.is_more
        return answer
