"""Code that says what it must not, and the search that nobody hears it: an URLconf of its own, and a broken task."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.api.links.pages import LinkPage
from backend.bookings.machine import State
from backend.core.errors import Code, Refused
from tests.support import sentinels
from workers.app import app


class Planted(Exception):
    """Says what no error should."""


def nothing_in(texts: Iterable[str], more: Iterable[str] = ()) -> None:
    """One search over all; the text that fails is shown by itself."""
    unlike = set(texts)
    if sentinels.found_in("\n".join(unlike), more):
        [*_, (found, text)] = [(found, text) for text in unlike if (found := sentinels.found_in(text, more))]
        raise AssertionError(f"{sorted(found)} in: {text}")


def shout() -> None:
    """A bug that puts a person into an error, with what led to it."""
    try:
        int(sentinels.PERSON["full_name"])
    except ValueError as error:
        raise Planted(json.dumps(sentinels.PERSON)) from error


class Refusing(APIView):
    def get(self, request: Request) -> HttpResponse:
        if code := request.query_params.get("code"):
            raise Refused(Code(code), **sentinels.PERSON, state=State.DRAFT, why=sentinels.NOTE, cancel_by=None)
        shout()
        raise AssertionError


class RefusingPage(LinkPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        if code := request.GET.get("code"):
            raise Refused(Code(code), **sentinels.PERSON, state=State.DRAFT, why=sentinels.NOTE, cancel_by=None)
        shout()
        raise AssertionError


def crashing(_request: HttpRequest) -> HttpResponse:
    shout()
    raise AssertionError


urlpatterns = [
    path("api/refusing/", Refusing.as_view()),
    path("go/refusing/", RefusingPage.as_view()),
    path("admin/crashing/", crashing),
    path("", include("config.urls")),
]


@app.task(name="tests.broken")
def broken() -> None:
    shout()
