"""What the visitor's own pages have in common: Django's check of their forms, and the form that asks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure as plain_failure
from rest_framework.exceptions import ValidationError

from backend.api import errors
from backend.api.frame import HEADERS, FramedPage, error_page, guarded, render_page, see_other
from backend.core.errors import Permanent, Refused, Transient, required


class VisitPage(FramedPage):
    """A page that asks for no link. With `no-referrer` a browser would send `Origin: null`, which the check refuses."""

    headers = {**HEADERS, "Referrer-Policy": "same-origin"}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """What is answered to a form that Django's check refuses. The desk has Django's own page."""
    if not request.path_info.startswith(("/visit/", "/verify-email", "/payment")):
        return plain_failure(request, reason)
    said = _("Your browser kept no cookie for this page, or the page stood open too long. Please open it again.")
    return guarded(error_page(403, said), VisitPage.headers)


def show(request: HttpRequest, name: str, context: Mapping[str, object], *, status: int = 200) -> HttpResponse:
    """A template of `visit/`."""
    return render_page(f"visit/{name}", {"pages": _pages(), **context}, status=status, request=request)


def led_to(name: str, query: str = "") -> HttpResponse:
    """On to another page, by GET."""
    return see_other(f"{reverse(f'visit:{name}')}{query and '?'}{query}")


def _pages() -> list[tuple[str, str]]:
    """The way to everything that needs no link."""
    names = {
        "times": _("Book a session"),
        "status": _("How does my booking stand?"),
        "link": _("Send me my link"),
        "enquiry": _("Write to us"),
    }
    return [(reverse(f"visit:{name}"), label) for name, label in names.items()]


@dataclass(frozen=True)
class Refusals:
    """Why a form comes again: what was wrong, what is said above the form, and beside its fields."""

    problem: errors.Problem
    said: str
    wrong: Mapping[str, str]


def attempt(act: Callable[[], object]) -> Refusals | None:
    """Do it, or say what is asked again: what cannot be read, the intent's own no, or a gateway that is silent."""
    try:
        act()
    except (ValidationError, Refused, Transient, Permanent) as error:
        problem = required(errors.problem_of(error), "problem")
        wrong = {name: sentences[0] for name, sentences in problem.more.get("errors", {}).items()}
        asks = isinstance(error, ValidationError)
        said = _("Nothing was sent yet. Please look again at what is marked.") if asks else problem.detail
        return Refusals(problem, said, wrong)
    return None


def ask_again(request: HttpRequest, name: str, context: Mapping[str, Any], refusals: Refusals) -> HttpResponse:
    """The form as it was typed, with why."""
    errors.note(refusals.problem, request)
    again = {**context, "problem": refusals.said, "wrong": refusals.wrong}
    response = show(request, name, again, status=refusals.problem.status)
    for header, value in refusals.problem.headers.items():
        response[header] = value
    return response


def is_the_site() -> bool:
    """Whether mails lead here, for want of another site."""
    return not settings.HAS_OTHER_SITE
