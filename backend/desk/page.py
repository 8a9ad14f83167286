"""One page of the desk as a value: its address, who may open it, and the view that answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from backend.bookings.access import AccessPolicy


@dataclass(frozen=True)
class Page:
    """For whoever may not open it the page does not exist. Which rows they may open it for, the view asks."""

    address: str  # below that of its model's pages
    name: str  # of the URL
    may_open: Callable[[AccessPolicy], bool]
    view: Callable[..., HttpResponseBase]

    def url(self, site: AdminSite) -> URLPattern:
        """Behind the log-in."""
        return path(self.address, site.admin_view(self.answer), name=self.name)

    def answer(self, request: HttpRequest, **address: Any) -> HttpResponseBase:
        """With what the address names as arguments."""
        if not self.may_open(AccessPolicy(request.user)):
            raise Http404
        return self.view(request, **address)


def render(
    request: HttpRequest, template: str, *, title: str, model: type[Model], status: int = 200, **context: Any
) -> TemplateResponse:
    """The page of a model in the admin's frame."""
    framed = {**admin.site.each_context(request), "opts": model._meta, "title": title, **context}
    return TemplateResponse(request, template, framed, status=status)
