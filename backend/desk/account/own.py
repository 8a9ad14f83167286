"""One's own account: what the second step is done with, and where one is logged in."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from backend.accounts import passkeys, second_factor, sessions, verification
from backend.accounts.models import Authenticator
from backend.desk.account.enrol import qr, show_codes
from backend.desk.account.proof import WRONG_CODE, WRONG_PASSKEY
from backend.desk.fresh import ask_again, requires_fresh
from backend.people.models import CalendarAddress, Psychologist


@never_cache
def own(request: HttpRequest) -> HttpResponse:
    """POST does what `do` says; what changes the factor asks for it again first."""
    if request.method == "POST":
        return _done(request)
    return _shown(request)


def _shown(request: HttpRequest, calendar_address: str = "") -> HttpResponse:
    now, account = timezone.now(), _account(request)
    context = {
        **admin.site.each_context(request),
        "title": "Your sign-in",
        "has_calendar": Psychologist.objects.filter(user=account, is_active=True).exists(),
        "calendar_since": CalendarAddress.objects.filter(psychologist__user=account).first(),
        "calendar_address": calendar_address,
        "app": Authenticator.objects.filter(user=account, confirmed=True).first(),
        "passkeys": passkeys.of(account),
        "codes_left": second_factor.recovery_codes_left(account),
        "is_fresh": verification.is_fresh(request.session, now=now),
        "passkey": passkeys.ask_to_register(request, account) if passkeys.are_offered() else None,
        "sessions": sessions.of(account, now=now),
        "this_one": sessions.digest(request.session.session_key),
    }
    return TemplateResponse(request, "admin/account/own.html", context)


@never_cache
@requires_fresh
def app(request: HttpRequest) -> HttpResponse:
    """Another app takes the place of the one before, once it has shown a code."""
    account, error = _account(request), ""
    if request.method == "POST":
        if second_factor.confirm_app(account, "".join(request.POST.get("code", "").split())):
            return _changed(request, "Codes come from the new app now.")
        error = WRONG_CODE
    made = second_factor.begin_app(account)
    context = {
        **admin.site.each_context(request),
        "title": "Another app",
        "secret": made.shared_secret(),
        "picture": qr(second_factor.uri(made)),
        "error": error,
    }
    return TemplateResponse(request, "admin/account/app.html", context, status=400 if error else 200)


def _done(request: HttpRequest) -> HttpResponse:
    what = request.POST.get("do", "")
    if what in ENDS:
        return ENDS[what](request)
    if what not in CHANGES:
        raise Http404
    if not verification.is_fresh(request.session, now=timezone.now()):
        return ask_again(request.path)
    return CHANGES[what](request)


def _end_one(request: HttpRequest) -> HttpResponse:
    rows = sessions.of(_account(request), now=timezone.now())
    ended, _ = rows.filter(pk=request.POST.get("session", "")).delete()
    messages.success(request, "That session has ended." if ended else "That session had ended already.")
    return redirect("desk:account")


def _end_others(request: HttpRequest) -> HttpResponse:
    ended = sessions.end_all(_account(request), but=request.session)
    messages.success(request, f"Ended: {ended}. You are logged in here alone.")
    return redirect("desk:account")


def _new_codes(request: HttpRequest) -> HttpResponse:
    codes = second_factor.new_recovery_codes(_account(request))
    sessions.end_all(_account(request), but=request.session)
    return show_codes(request, codes)


def _add_passkey(request: HttpRequest) -> HttpResponse:
    answer, name = request.POST.get("passkey", ""), request.POST.get("name", "")
    if not passkeys.register(request, _account(request), answer, name=name):
        messages.error(request, WRONG_PASSKEY)
        return redirect("desk:account")
    return _changed(request, "The passkey can be used now.")


def _remove_passkey(request: HttpRequest) -> HttpResponse:
    account = _account(request)
    if not second_factor.remove_passkey(account, request.POST.get("id", "")):
        messages.error(request, "The last one stays: set up an app or another passkey first.")
        return redirect("desk:account")
    return _changed(request, "That passkey opens nothing any more.")


def _make_calendar(request: HttpRequest) -> HttpResponse:
    """The answer itself shows the address, and nothing keeps it for another page."""
    psychologist = get_object_or_404(Psychologist, user=_account(request), is_active=True)
    token = CalendarAddress.make(psychologist, now=timezone.now())
    return _shown(request, f"{settings.PUBLIC_URL}/go/calendar/?token={token}")


def _end_calendar(request: HttpRequest) -> HttpResponse:
    CalendarAddress.objects.filter(psychologist__user=_account(request)).delete()
    messages.success(request, "The address of your calendar opens nothing any more.")
    return redirect("desk:account")


def _changed(request: HttpRequest, said: str) -> HttpResponse:
    """Whoever came in by what was before is out."""
    sessions.end_all(_account(request), but=request.session)
    messages.success(request, f"{said} Your other sessions have ended.")
    return redirect("desk:account")


def _account(request: HttpRequest) -> User:
    return cast(User, request.user)  # the door let nobody else in


Act = Callable[[HttpRequest], HttpResponse]
ENDS: dict[str, Act] = {"end": _end_one, "end_others": _end_others, "end_calendar": _end_calendar}
CHANGES: dict[str, Act] = {
    "new_codes": _new_codes,
    "add_passkey": _add_passkey,
    "remove_passkey": _remove_passkey,
    "make_calendar": _make_calendar,
}
