"""The error shape, and the one place where a refusal gets its status and its sentence."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from backend.api.answers import slot_choices
from backend.bookings import policy
from backend.bookings.lifecycle.alternatives import ALTERNATIVES_MOST
from backend.bookings.lifecycle.follow_ups import SERIES_MOST
from backend.bookings.machine import State
from backend.core import formatting, waits
from backend.core.errors import Code, Permanent, Refused, Transient
from backend.core.formatting import practice_zone

log = logging.getLogger(__name__)


class Answer(NamedTuple):
    status: int
    sentence: str


ANSWERS: dict[Code, Answer] = {
    Code.BOOKING_UNKNOWN: Answer(404, "We know no booking under this id. Please check it and try again."),
    Code.LINK_UNKNOWN: Answer(404, "This link is not valid. Please open the newest link in your email."),
    Code.PAYMENT_UNKNOWN: Answer(404, "We know no payment under this reference."),
    Code.REFUND_UNKNOWN: Answer(404, "This booking has no refund under this reference."),
    Code.TOO_MANY_MISSES: Answer(429, "Too many unknown ids were tried. Please wait and try again later."),
    Code.LOGIN_FAILED: Answer(401, "Name and password do not belong to an account that may use this."),
    Code.TOO_MANY_LOGINS: Answer(429, "Too many log-ins failed. Please wait and try again later."),
    Code.LINK_EXPIRED: Answer(410, "This link has expired. Please ask for a new one on our site."),
    Code.DRAFT_LAPSED: Answer(410, "This request was not confirmed in time and has lapsed. Please book again."),
    Code.DRAFT_SUPERSEDED: Answer(410, "Another request from this address was confirmed instead of this one."),
    Code.OPEN_IN_BROWSER: Answer(409, "Please open the link from your email in a browser to confirm your address."),
    Code.STATE_REFUSES: Answer(409, "The booking has moved on and does not allow this any more."),
    Code.ALREADY_ACTIVE: Answer(409, "There is already an open booking under this address."),
    Code.ALREADY_PAID: Answer(409, "This booking is already paid. Nothing is left to pay."),
    Code.NOTHING_TO_PAY: Answer(409, "This booking is confirmed. Nothing is to be paid online."),
    Code.PAY_BY_PASSED: Answer(409, "The time to pay for this booking has passed."),
    Code.PAYMENT_NOT_CONFIRMED: Answer(
        409, "Your bank has not confirmed yet. Do not pay again; we will write to you by {answer_by}."
    ),
    Code.PAYMENT_DECLINED: Answer(409, "Your bank declined the payment. No money was taken; you can try again."),
    Code.PAYMENT_RETURNED: Answer(
        409, "Your payment arrived, but this booking could not be confirmed with it. The money goes back to you."
    ),
    Code.PAYMENTS_UNAVAILABLE: Answer(503, "Online payment is not available at the moment. Please try again later."),
    Code.CONFIRM_BY_EMAIL: Answer(
        409, "Not cancelled yet. We have sent you an email; open its link within {cancel_link_lifetime}."
    ),
    Code.CANCEL_TOO_LATE: Answer(
        409,
        "A session can be cancelled on the site until {cancel_notice} before it starts. "
        "After that, please use the link in your confirmation email.",
    ),
    Code.MOVE_TOO_LATE: Answer(409, "A session can be moved until {cancel_notice} before it starts."),
    Code.MOVES_USED_UP: Answer(409, "This session was moved as often as possible. Please write to us instead."),
    Code.NOT_CANCELLED_YET: Answer(409, "Not cancelled yet. Open the link in our email and press its button."),
    Code.CANCELLATION_PENDING: Answer(
        409,
        "The visitor asked to cancel and has not proved it yet. "
        "To approve all the same, send despite_cancellation_request.",
    ),
    Code.REFUND_EXCEEDS_CAPTURE: Answer(409, "This is more than what was paid and has not been given back."),
    Code.REFUND_AT_GATEWAY: Answer(409, "This refund is on its way at the gateway."),
    Code.REFUND_REASON_REQUIRED: Answer(400, "To keep the money, say why."),
    Code.OUTCOME_CLOSED: Answer(
        409, "An outcome can be recorded from the session's start until {outcome_open_for} after its end."
    ),
    Code.SPONSOR_UNKNOWN: Answer(400, "Choose a corporate that is active."),
    Code.SPONSOR_DOES_NOT_COVER: Answer(
        409,
        "The sponsor does not cover this session: {why}. "
        "To approve all the same and ask the visitor to pay, send pay_if_not_sponsored.",
    ),
    Code.MONTH_NOT_SPONSORED: Answer(
        409, "The sponsor of this session does not cover one at that time. Please choose another time."
    ),
    Code.TOO_MANY_ENQUIRIES: Answer(429, "Too many messages have arrived. Please try again in an hour."),
    Code.SLOT_TAKEN: Answer(409, "This time is already taken."),
    Code.SLOT_PAST: Answer(400, "This time is in the past."),
    Code.SLOT_TOO_NEAR: Answer(409, "This time is too near to be paid online."),
    Code.OUTSIDE_HOURS: Answer(
        409, "This time is outside the psychologist's hours. To book it all the same, send despite_hours."
    ),
    Code.NO_FREE_SLOT: Answer(409, "No free slot fits what the visitor asked for."),
    Code.SLOT_INVALID: Answer(400, "A session must have a sensible length and be within a year."),
    Code.TOO_MANY_ALTERNATIVES: Answer(400, "Please offer at most {alternatives_most} times."),
    Code.SERIES_TOO_LONG: Answer(400, "A series has between 1 and {series_most} sessions."),
    Code.PSYCHOLOGIST_REQUIRED: Answer(400, "Choose a psychologist who is active."),
    Code.MEETING_LINK_REQUIRED: Answer(400, "An online session needs a meeting link."),
    Code.ADDRESS_REQUIRED: Answer(400, "A session in person needs a location."),
    Code.GUARDIAN_CONSENT_REQUIRED: Answer(409, "The client is a minor: record the guardian's consent first."),
    Code.AMOUNT_INVALID: Answer(400, "The amount must be between 0 and 100,000 rupees."),
    Code.DATE_PAST: Answer(400, "Please choose today or a later date."),
    Code.AGE_REFUSED: Answer(400, "Bookings are open from the age of {minimum_age}."),
    Code.WISH_UNKNOWN: Answer(400, "Please choose a psychologist of ours, or none."),
    Code.WISH_PAST: Answer(400, "Please choose a time that is ahead, and within a year."),
    Code.SIGNATURE_INVALID: Answer(400, "The signature does not match."),
    Code.EVENT_MALFORMED: Answer(400, "The event cannot be read."),
}

# refusals that speak of one field of the request
FIELDS = {
    Code.DATE_PAST: "preferred_date",
    Code.AGE_REFUSED: "age",
    Code.WISH_UNKNOWN: "psychologist",
    Code.WISH_PAST: "preferred_slot_start",
    Code.SLOT_PAST: "slot_start",
    Code.SLOT_INVALID: "slot_start",
    Code.PSYCHOLOGIST_REQUIRED: "psychologist_id",
    Code.MEETING_LINK_REQUIRED: "meeting_link",
    Code.ADDRESS_REQUIRED: "location_id",
    Code.AMOUNT_INVALID: "amount",
    Code.REFUND_EXCEEDS_CAPTURE: "amount",
    Code.REFUND_REASON_REQUIRED: "refund_reason",
    Code.SPONSOR_UNKNOWN: "corporate_id",
}
# what state_refuses says where it knows the state
_REFUSED_IN = {
    State.DRAFT: "This request waits for its email address to be confirmed and does not allow this yet.",
    State.PENDING: "This request waits for the practice's answer and does not allow this yet.",
    State.APPROVED: "This booking waits for its payment and does not allow this.",
    State.PAYMENT_PENDING: "A payment for this booking is under way, so this is not possible.",
    State.CONFIRMED: "This booking is already confirmed and does not allow this any more.",
    State.COMPLETED: "This session has already taken place.",
    State.REJECTED: "The practice could not offer this session; the request is closed.",
    State.CANCELLED: "This booking is already cancelled.",
    State.PAYMENT_FAILED: "This booking is closed, because the payment did not arrive in time.",
}

_STATUS_CODES = {
    400: ("malformed", "The request could not be read."),
    401: ("not_authenticated", "Please log in and send your token in the header Authorization: Token …"),
    403: ("forbidden", "You may not do this."),
    404: ("not_found", "There is nothing at this address. Every address of this service ends in a slash."),
    405: ("method_not_allowed", "This address does not accept this kind of request."),
    413: ("too_large", "The request is too large."),
    415: ("unsupported_media_type", "Please send JSON, with Content-Type: application/json."),
    429: ("throttled", "Too many requests. Please try again later."),
    503: ("unavailable", "The service is busy. Please try again in a moment."),
}
_CRASHED = ("error", "Something went wrong on our side. Please try again.")
_GATEWAY_SILENT = "We cannot reach the bank at the moment. If you have paid, do not pay again; try again in a minute."


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
    problem = _problem(error)
    if problem is None:
        return None
    is_ours = isinstance(error, Permanent) or (waits.is_unavailable(error) and not waits.has_ended(error))
    _note(problem, context["request"], error=error if is_ours else None)
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
        _note(problem, request)
    return JsonResponse(_body(problem, request), status=status, headers=headers)


def note_unavailable(error: Exception, request: HttpRequest) -> None:
    """One line if a wait ended; with its traceback if the database does not answer."""
    _note(unavailable(error), request, error=None if waits.has_ended(error) else error)


def _problem(error: Exception) -> Problem | None:
    match error:
        case Refused():
            return refusal(error)
        case exceptions.ValidationError():
            return _invalid(error.detail)
        case exceptions.APIException():
            return _of_status(error.status_code)
        case Transient() | Permanent():
            return Problem(503, Code.PAYMENTS_UNAVAILABLE, _GATEWAY_SILENT, note=str(error))
        case Http404():
            return _of_status(404)
        case PermissionDenied():
            return _of_status(403)
        case SuspiciousOperation():
            return _of_status(400)
    return unavailable(error) if waits.is_unavailable(error) else None


def unavailable(error: Exception) -> Problem:
    """The database cannot be asked now; the log says which wait ended."""
    note = type(error.__cause__).__name__ if waits.has_ended(error) else ""
    return Problem(503, *_STATUS_CODES[503], headers=waits.RETRY_HEADER, note=note)


def refusal(refused: Refused) -> Problem:
    """A refused intent, with what its context may show."""
    context, code = refused.context, refused.code
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    detail = sentence(code, context)
    if code in FIELDS:
        more["errors"] = {FIELDS[code]: [detail]}
    if "free_slots" in context:
        more["free_slots"] = slot_choices(context["free_slots"])
    retry_after = context.get("retry_after")
    if isinstance(retry_after, timedelta):
        headers["Retry-After"] = str(max(1, math.ceil(retry_after.total_seconds())))
    return Problem(ANSWERS[code].status, code, detail, more, headers)


def sentence(code: Code, context: Mapping[str, object]) -> str:
    """What a person reads when `code` refuses."""
    if code is Code.STATE_REFUSES and context.get("state") in _REFUSED_IN:
        return _REFUSED_IN[State(str(context["state"]))]
    shown: dict[str, object] = {
        "minimum_age": policy.MINIMUM_AGE,
        "series_most": SERIES_MOST,
        "alternatives_most": ALTERNATIVES_MOST,
        "why": "it has nothing left",
        "answer_by": "the end of the day",
        "cancel_notice": formatting.span(policy.CANCEL_NOTICE),
        "cancel_link_lifetime": formatting.span(policy.CANCEL_LINK_LIFETIME),
        "outcome_open_for": formatting.span(policy.OUTCOME_OPEN_FOR),
    }
    for name, value in context.items():
        if value is not None:
            shown[name] = _moment(value) if isinstance(value, datetime) else value
    return ANSWERS[code].sentence.format_map(shown)


def _moment(at: datetime) -> str:
    """The time alone if it is today, else with its day."""
    is_today = at.astimezone(practice_zone()).date() == timezone.now().astimezone(practice_zone()).date()
    return formatting.clock_time(at) if is_today else formatting.day_and_time(at)


def _invalid(detail: Any) -> Problem:
    """`errors` as {field: [sentence]} from whatever nesting DRF gives; `detail` is the first of them."""
    errors = {name: _sentences(value) for name, value in detail.items()} if isinstance(detail, dict) else {}
    found = [one for sentences in errors.values() for one in sentences] or _sentences(detail)
    return Problem(400, "invalid", found[0], {"errors": errors})


def _sentences(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for inner in value.values() for found in _sentences(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in _sentences(inner)]
    return [str(value)]


def _of_status(status: int) -> Problem:
    return Problem(status, *_STATUS_CODES.get(status, _CRASHED))


def _body(problem: Problem, request: Request | HttpRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"detail": problem.detail, "code": str(problem.code), **problem.more}
    if request.method == "POST" and request.path_info.startswith("/api/bookings/check-status"):
        body["has_booking"] = False  # the site reads this and not the status
    return body


def _note(problem: Problem, request: Request | HttpRequest, *, error: Exception | None = None) -> None:
    """One line: the code, and the address as a pattern, so that nothing a person typed is in it."""
    match = request.resolver_match
    words = (problem.code, problem.status, request.method, match.route if match else "-", problem.note)
    log.log(
        logging.ERROR if error else logging.INFO, "refused %s", " ".join(str(w) for w in words if w), exc_info=error
    )
