"""The frame of every page that visitors open, from a mail or by themselves: HTML always, an error too.

Nothing is loaded from elsewhere, and one script of ours may run: the policy names its digest.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.generic import View
from rest_framework.exceptions import APIException

from backend.api import errors, language, responses
from backend.core import database_timeouts
from backend.core.errors import Permanent, Refused, Transient, required

log = logging.getLogger(__name__)

SCRIPT = (Path(__file__).parent / "comfort.js").read_text()
DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
HEADERS = {
    "Referrer-Policy": "no-referrer",  # the address may hold a token
    "Content-Security-Policy": f"default-src 'none'; img-src 'self'; script-src 'sha256-{DIGEST}'; "
    "style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


class FramedPage(View):
    """What is common to all: the headers, and an error as a page."""

    http_method_names = ["get", "head", "post"]
    headers: Mapping[str, str] = HEADERS

    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        try:
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        except (APIException, Refused, Transient, Permanent) as error:
            problem = required(errors.problem_of(error), "problem")
            log.info("refused %s %s %s", problem.code, request.method, request.path_info)
            response = error_page(problem.status, _sentence(problem))
            for name, value in problem.headers.items():
                response[name] = value
        except SuspiciousOperation:
            response = error_page(400, _("The request could not be read. Please open the link in your email again."))
        except (DatabaseError, InterfaceError) as error:
            if not database_timeouts.is_unavailable(error):
                raise
            errors.note_unavailable(error, request)
            response = _busy()
        return guarded(response, self.headers)

    def http_method_not_allowed(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        response = error_page(405, _("This page can only be opened."))
        response["Allow"] = super().http_method_not_allowed(request, *args, **kwargs)["Allow"]
        return response


def _sentence(problem: errors.Problem) -> str:
    """Of what was sent, the first thing that is wrong; else the problem itself."""
    wrong = [sentences[0] for sentences in problem.more.get("errors", {}).values()]
    return str(wrong[0]) if wrong else problem.detail


def _busy() -> HttpResponse:
    said = _("We are busy. Please open the link in your email again in a moment: it shows what became of it.")
    response = error_page(503, said, is_sure=False)
    response["Retry-After"] = database_timeouts.RETRY_HEADER["Retry-After"]
    return response


def render_page(
    name: str, context: Mapping[str, object], *, status: int = 200, request: HttpRequest | None = None
) -> HttpResponse:
    """A template of `go/`, or one that names its folder, in the practice's name and with the help lines.

    `request` where the page has a form of Django's check.
    """
    house = {
        "switches": language.switches() if status == 200 else (),  # else what the address says is not ours to repeat
        "practice": settings.PRACTICE_NAME,
        "neutral_name": settings.PAYMENT_NAME,
        "practice_zone": settings.PRACTICE_TIME_ZONE,
        "site_url": settings.FRONTEND_URL,
        "exit_url": settings.QUICK_EXIT_URL,
        "support_lines": responses.support_lines(),
        "script": mark_safe(SCRIPT),  # noqa: S308 -- our own file, whose digest the policy names
    }
    template = f"{name}.html" if "/" in name else f"go/{name}.html"
    return HttpResponse(render_to_string(template, {**house, **context}, request), status=status)


def see_other(address: str) -> HttpResponse:
    """On to another page, by GET (303)."""
    return HttpResponse(status=303, headers={"Location": address})


def guarded(response: HttpResponseBase, headers: Mapping[str, str] = HEADERS) -> HttpResponseBase:
    """The answer with the headers of every such page."""
    for name, value in headers.items():
        response[name] = value
    return response


def error_page(status: int, sentence: str, *, is_sure: bool = True) -> HttpResponse:
    """The page of an error; `is_sure` that nothing was changed."""
    return render_page("problem", {"sentence": sentence, "is_sure": is_sure}, status=status)
