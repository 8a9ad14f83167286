"""The error shape of the API; a refusal's status and sentence are from `bookings.refusals`."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext, gettext_noop
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from backend.api.responses import slot_choices
from backend.bookings.refusals import ANSWERS, sentence
from backend.core import database_timeouts
from backend.core.errors import Code, Permanent, Refused, Transient

log = logging.getLogger(__name__)


_STATUS_CODES = {
    400: ("malformed", gettext_noop("The request could not be read.")),
    401: ("not_authenticated", gettext_noop("Please log in and send your token in the header Authorization: Token …")),
    403: ("forbidden", gettext_noop("You may not do this.")),
    404: (
        "not_found",
        gettext_noop("There is nothing at this address. Every address of this service ends in a slash."),
    ),
    405: ("method_not_allowed", gettext_noop("This address does not accept this kind of request.")),
    408: ("too_slow", gettext_noop("The request took too long to arrive. Please try again.")),
    413: ("too_large", gettext_noop("The request is too large.")),
    415: ("unsupported_media_type", gettext_noop("Please send JSON, with Content-Type: application/json.")),
    429: ("throttled", gettext_noop("Too many requests. Please try again later.")),
    431: ("headers_too_long", gettext_noop("The request could not be read: one of its headers is too long.")),
    503: ("unavailable", gettext_noop("The service is busy. Please try again in a moment.")),
}
_CRASHED = ("error", gettext_noop("Something went wrong on our side. Please try again."))
_GATEWAY_SILENT = gettext_noop(
    "We cannot reach the bank at the moment. If you have paid, do not pay again; try again in a minute."
)


@dataclass(frozen=True)
class Problem:
    """What is answered instead of what was asked for. `note` goes to the log alone."""

    status: int
    code: str
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. An error it does not know is a bug, which `JsonErrors` logs and answers."""
    problem = problem_of(error)
    if problem is None:
        return None
    is_ours = isinstance(error, Permanent) or (
        database_timeouts.is_unavailable(error) and not database_timeouts.is_timeout(error)
    )
    note(problem, context["request"], error=error if is_ours else None)
    headers = dict(problem.headers)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Token"
    return Response(_body(problem, context["request"]), status=problem.status, headers=headers)


def json_answer(
    status: int, request: HttpRequest, *, code: str = "", detail: str = "", headers: dict[str, str] | None = None
) -> JsonResponse:
    """The answer to an error outside DRF; a crash was logged already, with its traceback."""
    problem = _of_status(status)
    problem = Problem(status, code or problem.code, detail or problem.detail)
    if status != 500:
        note(problem, request)
    return JsonResponse(_body(problem, request), status=status, headers=headers)


def busy() -> Problem:
    """Another transaction holds what this one needs."""
    return _of_status(503)


def crashed() -> Problem:
    """A fault of ours, which the log tells."""
    return Problem(500, *_CRASHED)


def sentence_of(status: int) -> str:
    """What people read of this status."""
    return _of_status(status).detail


def note_unavailable(error: Exception, request: HttpRequest) -> None:
    """One line if a wait ended; with its traceback if the database does not answer."""
    note(unavailable(error), request, error=None if database_timeouts.is_timeout(error) else error)


def problem_of(error: Exception) -> Problem | None:
    """What an error is answered with; None for a bug."""
    match error:
        case Refused():
            return refusal(error)
        case exceptions.ValidationError():
            return invalid(error.detail)
        case exceptions.APIException():
            return _of_status(error.status_code)
        case Transient() | Permanent():
            return Problem(503, Code.PAYMENTS_UNAVAILABLE, gettext(_GATEWAY_SILENT), note=str(error))
        case Http404():
            return _of_status(404)
        case PermissionDenied():
            return _of_status(403)
        case SuspiciousOperation():
            return _of_status(400)
    return unavailable(error) if database_timeouts.is_unavailable(error) else None


def unavailable(error: Exception) -> Problem:
    """The database cannot be asked now; the log says which wait ended."""
    note = type(error.__cause__).__name__ if database_timeouts.is_timeout(error) else ""
    return replace(_of_status(503), headers=database_timeouts.RETRY_HEADER, note=note)


def refusal(refused: Refused) -> Problem:
    """A refused intent, with what its context may show."""
    context, answer = refused.context, ANSWERS[refused.code]
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    detail = sentence(refused.code, context)
    if answer.field:
        more["errors"] = {answer.field: [detail]}
    if "free_slots" in context:
        more["free_slots"] = slot_choices(context["free_slots"])
    retry_after = context.get("retry_after")
    if isinstance(retry_after, timedelta):
        headers["Retry-After"] = str(max(1, math.ceil(retry_after.total_seconds())))
    return Problem(answer.status, refused.code, detail, more, headers)


def invalid(detail: Any) -> Problem:
    """`errors` as {field: [sentence]} from whatever nesting DRF gives; `detail` is the first of them."""
    errors = {name: _sentences(value) for name, value in detail.items()} if isinstance(detail, dict) else {}
    found = [one for sentences in errors.values() for one in sentences] or _sentences(detail)
    return Problem(400, "invalid", found[0], {"errors": errors})


def _sentences(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for inner in value.values() for found in _sentences(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in _sentences(inner)]
    return [gettext(str(value))]  # a sentence of ours is marked where it stands; DRF's are its own


def _of_status(status: int) -> Problem:
    code, said = _STATUS_CODES.get(status, _CRASHED)
    return Problem(status, code, gettext(said))


def _body(problem: Problem, request: Request | HttpRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"detail": problem.detail, "code": str(problem.code), **problem.more}
    if request.method == "POST" and request.path_info.startswith("/api/bookings/check-status"):
        body["has_booking"] = False  # the site reads this and not the status
    return body


def note(problem: Problem, request: Request | HttpRequest, *, error: Exception | None = None) -> None:
    """One line: the code, and the address as a pattern, so that nothing a person typed is in it."""
    match = request.resolver_match
    words = (problem.code, problem.status, request.method, match.route if match else "-", problem.note)
    log.log(
        logging.ERROR if error else logging.INFO, "refused %s", " ".join(str(w) for w in words if w), exc_info=error
    )
