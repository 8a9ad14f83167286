"""The admin's site: on every page, ours or a library's, only what its list offers can be asked for.

Django takes any column of a model as a filter of its list, and those of related models that the list offers, so that a
masked column could be guessed letter by letter: `?phone_number__startswith=9`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from math import ceil
from typing import Any, NoReturn, TypeVar

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
# what Django's own filters ask of their column; a related row is known by its id
ASKED = ("", "exact", "isnull", "gte", "lt", "id__exact")


class OnlyWhatIsOffered:
    """Before a model's page in the order of classes."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether a filter of the list asks this; else Django answers 400."""
        is_offered = lookup in _asked_by(self.get_list_filter(request))  # type: ignore[attr-defined]
        return is_offered and super().lookup_allowed(lookup, value, request)  # type: ignore[misc]

    def _get_obj_does_not_exist_redirect(self, *_asked: object) -> NoReturn:
        """Django leads to the index and names the id; what somebody may not see answers 404."""
        raise Http404


class Site(AdminSite):
    """Registers each page behind `OnlyWhatIsOffered`."""

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Django lets a browser keep the pages about a password, too; here it is the script of words alone."""
        return super().admin_view(view, cacheable and view == self.i18n_javascript)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """429 where the form looked at no password, as the API answers; it says for how long."""
        response = super().login(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        tell_to_wait(response, getattr(form, "retry_after", None))
        return response

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        given = admin_class or ModelAdmin
        bounded = type(given.__name__, (OnlyWhatIsOffered, given), {"__module__": given.__module__})
        super().register(model_or_iterable, bounded, **options)


def tell_to_wait(response: HttpResponse, wait: timedelta | None) -> None:
    """429 for so long, where there is something to wait for."""
    if wait is not None:
        response.status_code = 429
        response["Retry-After"] = str(max(1, ceil(wait.total_seconds())))


def _asked_by(filters: Iterable[Any]) -> Iterator[str]:
    for one in filters:
        if hasattr(one, "parameter_name"):
            yield one.parameter_name
            continue
        column = one if isinstance(one, str) else one[0]
        yield from (f"{column}__{asked}".removesuffix("__") for asked in ASKED)
