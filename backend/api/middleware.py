"""The outermost layers: a correlation id for every request, JSON for every error under /api/, a policy for pages."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from backend.api import bounds, errors, frame
from backend.core import correlation, database_timeouts

log = logging.getLogger(__name__)
Handler = Callable[[HttpRequest], HttpResponseBase]
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_KEPT_HEADERS = ("Allow", "Retry-After")


class CorrelationIdMiddleware:
    """Takes a well-formed X-Correlation-ID from the caller, or makes one, and gives it back."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Correlation-ID", "")
        value = correlation.begin(given if _ID.fullmatch(given) else "")
        response = self.get_response(request)
        response["X-Correlation-ID"] = value
        if request.method == "POST" and response.status_code < 400:  # a refusal and a crash have lines of their own
            match = request.resolver_match
            log.info("did %s %s %d", request.method, match.route if match else "-", response.status_code)
        return response


class ContentSecurityPolicyMiddleware:
    """A page loads from, fetches from and posts forms to this host alone, whatever got into its text.

    The theme of the admin keeps scripts in its pages, so those cannot be forbidden: one that got in could still run,
    and lead the browser away.
    """

    POLICY = (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", self.POLICY)
        return response


class JsonErrorsMiddleware:
    """Every answer under /api/ that is an error is our JSON: unknown path, crash, DEBUG page, refused host, size."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_api(request):
            return self.get_response(request)
        response = _in_json(request, self.get_response(request))
        response.headers.setdefault("Cache-Control", "no-store")  # a booking must not stay in a shared machine's cache
        response.headers["Referrer-Policy"] = "no-referrer"  # the desk's own is looser, for its forms
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A crash in a view. Django's own page is not even made: with DEBUG on it can crash on what made us crash."""
        if not _is_api(request):
            return None
        if database_timeouts.is_unavailable(error):
            return errors.json_answer(503, request, headers=database_timeouts.RETRY_HEADER)
        log.error("crashed %s", type(error).__name__, exc_info=error)
        got_request_exception.send(sender=type(self), request=request)
        return errors.json_answer(500, request)


class BoundsMiddleware:
    """Refuses what is too long or came too slowly, on every address, before anything reads its body."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        status = bounds.refusal(request)
        if status is None:
            return self.get_response(request)
        return frame.guarded(frame.error_page(status, errors.sentence_of(status)))


class DatabaseUnavailableMiddleware:
    """Outside /api/, above all in the admin: while the database cannot be asked, a page says to come back."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answers with a page that needs no query."""
        if _is_api(request) or not database_timeouts.is_unavailable(error):
            return None
        errors.note_unavailable(error, request)
        response = frame.render_page("busy", {}, status=503)
        response["Retry-After"] = database_timeouts.RETRY_HEADER["Retry-After"]
        response["Cache-Control"] = "no-store"
        return response


def _is_api(request: HttpRequest) -> bool:
    return request.path_info == "/api" or request.path_info.startswith("/api/")


def _in_json(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code < 300 or response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    if response.status_code == 304:
        return response
    if response.status_code < 400:  # nothing here redirects, save SecurityMiddleware
        return errors.json_answer(403, request, code="https_required", detail="Please use https.")
    answer = errors.json_answer(response.status_code, request)
    for name in _KEPT_HEADERS:
        if name in response.headers:
            answer[name] = response.headers[name]
    return answer
