"""The door of every admin address: a session that is over ends, and one without the second step goes to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from backend.accounts import verification
from backend.desk.fresh import ask_again

ADMIN = "/admin/"
WITHOUT_SECOND_STEP = ("admin:login", "admin:logout", "desk:second_step", "desk:enrol")
# accounts and roles, and where the old password could be guessed; `requires_fresh` is before tokens
FRESH = ("/admin/auth/", "/admin/account/colleagues/", "/admin/password_change/")


class SecondStepMiddleware:
    """By the address alone, so that a page which forgets to ask is behind the door, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_asked = request.path_info.startswith(ADMIN) and request.user.is_authenticated
        return (is_asked and self._turned_away(request)) or self.get_response(request)

    def _turned_away(self, request: HttpRequest) -> HttpResponseBase | None:
        session, path, now = request.session, request.path_info, timezone.now()
        if verification.is_over(session, now=now):
            logout(request)  # the page itself leads to the log-in
            return None
        if request.GET.get("part") != "live":  # a page that fetches itself again is nobody at the desk
            verification.keep_alive(session, now=now)
        if not verification.is_verified(session):
            return None if path in _open() else redirect(_second_step(request))
        if path.startswith(FRESH) and not verification.is_fresh(session, now=now):
            return ask_again(request.get_full_path())
        return None


@cache
def _open() -> frozenset[str]:
    return frozenset(reverse(name) for name in WITHOUT_SECOND_STEP)


def _second_step(request: HttpRequest) -> str:
    return f"{reverse('desk:second_step')}?{urlencode({'next': request.get_full_path()})}"
