"""Records what an answer to staff shows of people, before it leaves; what cannot be recorded is not shown."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from backend.accounts.models import TokenGrant
from backend.audit import records
from backend.audit.models import Kind
from backend.bookings import actors
from backend.core import disclosures
from backend.core.disclosures import Disclosures

log = logging.getLogger(__name__)
SENTENCE = "This cannot be shown, because it could not be recorded that you saw it. Please try again in a moment."
RETRY_AFTER = "5"  # seconds


class AccessRecordMiddleware:
    """The innermost, around the view and the rendering of its template."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = _Asked(request)
        with records.during(asked):
            with disclosures.listening() as heard:
                response = self.get_response(request)
            return response if _is_recorded(asked, heard) else _refusal()


class _Asked:
    """Asked late: the API knows who it is only once its view runs."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def actor(self) -> str | None:
        user = getattr(self._request, "user", None)
        return actors.for_account(user) if user is not None and user.is_staff else None

    def token(self) -> TokenGrant | None:
        return getattr(getattr(self._request, "auth", None), "grant", None)

    def page(self) -> str:
        match = self._request.resolver_match
        return "" if match is None else match.view_name if match.url_name else match.route


def _is_recorded(asked: _Asked, heard: Disclosures) -> bool:
    """A visitor who reads their own is not recorded."""
    actor = asked.actor() if heard else None
    if actor is None:
        return True
    try:
        records.write(Kind(heard.act.value), heard.ids, actor=actor, now=timezone.now())
    except (DatabaseError, InterfaceError):
        log.exception("an access could not be recorded")
        return False
    return True


def _refusal() -> HttpResponse:
    headers = {"Retry-After": RETRY_AFTER, "Cache-Control": "no-store"}
    return HttpResponse(SENTENCE, status=503, content_type="text/plain; charset=utf-8", headers=headers)
