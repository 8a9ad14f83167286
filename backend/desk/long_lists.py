"""The pages of a long list, without counting its table."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

PAGES_AHEAD = 9  # that are looked for and linked; who wants more filters or goes on from there
T = TypeVar("T", bound=Model)


class LookaheadPaginator(Paginator[T]):
    """Counts as far as some pages ahead, and nothing where the page that is looked at is the last."""

    at_page = 1  # which page is looked at, set by the list
    ahead = PAGES_AHEAD  # of a search none: to find all that it finds costs more than to find the first

    @cached_property
    def _read(self) -> list[T]:
        """The rows of the page that is looked at, and one more, if there is any."""
        first = (self.at_page - 1) * self.per_page
        return list(self._rows(first, first + self.per_page + 1))

    @property
    def shown(self) -> list[T]:
        """The rows of the page that is looked at."""
        return self._read[: self.per_page]

    @cached_property
    def count(self) -> int:
        """Never more than ends `ahead` pages ahead, and one row."""
        is_last = len(self._read) <= self.per_page and (self._read or self.at_page == 1)
        if is_last or (self._read and not self.ahead):
            return (self.at_page - 1) * self.per_page + len(self._read)
        rows: Any = self.object_list
        return int(rows.order_by()[: self._far()].count())

    def page(self, number: int | str) -> Page[T]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows = self.shown if number == self.at_page else self._rows(first, first + self.per_page)
        return Page(rows, number, self)

    @property
    def is_more(self) -> bool:
        """Whether there may be rows behind those that were counted."""
        return self.count == self._far()

    def _rows(self, first: int, last: int) -> Any:
        return self.object_list[first:last]

    def _far(self) -> int:
        return (self.at_page + self.ahead) * self.per_page + 1


class LongChangeList(ChangeList):
    """Django's, which would read a list of one page once more than its paginator has."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page and isinstance(self.paginator, LookaheadPaginator):
            self.result_list = self.paginator.page(1).object_list


class LongList:
    """For an admin page whose list may be long: neither the table nor what a search found is counted to its end."""

    paginator: ClassVar[type[Paginator[Any]]] = LookaheadPaginator
    show_full_result_count: ClassVar[bool] = False
    list_per_page: ClassVar[int] = 50
    list_max_show_all: ClassVar[int] = 0

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002  # as Django's
        return LongChangeList

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Paginator[Any]:
        """Which looks ahead from the page that is asked for."""
        found = self.paginator(*args, **kwargs)
        page = request.GET.get("p", "1")
        if isinstance(found, LookaheadPaginator):
            found.at_page = max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1
            found.ahead = 0 if request.GET.get("q") else PAGES_AHEAD
        return found

    def action_checkbox(self, row: Model) -> SafeString:
        """As Django's, which renders a template for each row: a sixth of the page."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            row.pk,
            gettext("Select this object for an action - {}").format(row),
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        shown = getattr(answer, "context_data", None) or {}
        if isinstance(changes := shown.get("cl"), ChangeList):
            paginator = changes.paginator
            shown["is_more"] = isinstance(paginator, LookaheadPaginator) and paginator.is_more
        return answer
