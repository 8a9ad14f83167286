"""What is worth more than a session: password and second factor were proved of late, or are asked for again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from backend.accounts import verification

View = Callable[..., HttpResponseBase]


def requires_fresh(view: View) -> View:
    """Leads to the page that asks, and from there back to this address; what a form had typed is typed again."""

    @wraps(view)
    def guarded(request: HttpRequest, *arguments: object, **address: object) -> HttpResponseBase:
        if not verification.is_fresh(request.session, now=timezone.now()):
            return ask_again(request.get_full_path())
        return view(request, *arguments, **address)

    return guarded


def ask_again(then: str) -> HttpResponse:
    """To the page that asks for password and factor, and then there."""
    return redirect(f"{reverse('desk:confirm')}?{urlencode({'next': then})}")
