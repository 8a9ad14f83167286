"""Tokens for programs of the staff API: one's own, and for an owner everybody's."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from backend.accounts import scopes, tokens
from backend.accounts.models import TokenGrant
from backend.accounts.roles import is_owner
from backend.bookings import actors
from backend.core.row_ids import row_id
from backend.desk.fresh import requires_fresh
from backend.ops import staff_tokens

LIFETIMES = (
    (timedelta(hours=12), "12 hours"),
    (timedelta(days=7), "7 days"),
    (timedelta(days=30), "30 days"),
    (tokens.LONGEST, "90 days"),
)


class TokenForm(forms.Form):
    """What it is for, what it may do, and until when."""

    name = forms.CharField(
        max_length=80,
        label="What it is for",
        help_text="Such as “nightly export”. It stands in the list, so that it is known when it should end.",
        widget=forms.TextInput({"class": "form-control"}),
    )
    scope = forms.MultipleChoiceField(
        choices=[(name, scopes.label(name)) for name in scopes.ALL],
        initial=[scopes.NARROWEST],
        label="What it may do",
        help_text="At most: your role says the rest. Tick as little as the program needs.",
        widget=forms.CheckboxSelectMultiple({"class": "form-check-input"}),
    )
    hours = forms.TypedChoiceField(
        coerce=int,
        choices=[(length // timedelta(hours=1), text) for length, text in LIFETIMES],
        initial=LIFETIMES[2][0] // timedelta(hours=1),
        label="Until it ends",
        widget=forms.Select({"class": "form-select"}),
    )


@never_cache
def listed(request: HttpRequest) -> HttpResponse:
    """POST revokes the one that it names. To end one needs no fresh proof: it opens nothing."""
    if request.method == "POST":
        return _revoked(request)
    context = {
        **admin.site.each_context(request),
        "title": "Tokens for programs",
        "rows": _seen(request),
        "is_owner": is_owner(_account(request)),
    }
    return TemplateResponse(request, "admin/account/tokens.html", context)


@never_cache
@requires_fresh
def make(request: HttpRequest) -> HttpResponse:
    """POST makes one; the answer itself shows it, and nothing keeps it for another page."""
    form, token = TokenForm(request.POST or None), ""
    if form.is_valid():
        typed, account = form.cleaned_data, _account(request)
        token = staff_tokens.issue(
            account,
            name=typed["name"],
            scope=scopes.joined(typed["scope"]),
            lifetime=timedelta(hours=typed["hours"]),
            actor=actors.for_account(account),
            now=timezone.now(),
        )
    context = {**admin.site.each_context(request), "title": "A token for a program", "form": form, "token": token}
    return TemplateResponse(request, "admin/account/token.html", context, status=400 if form.errors else 200)


def _seen(request: HttpRequest) -> QuerySet[TokenGrant]:
    """Those that whoever asks may see and end."""
    now, account = timezone.now(), _account(request)
    return tokens.of_everybody(now=now) if is_owner(account) else tokens.of(account, now=now)


def _revoked(request: HttpRequest) -> HttpResponse:
    grant = get_object_or_404(_seen(request), pk=row_id(request.POST.get("token", "")))
    staff_tokens.revoke(grant, actor=actors.for_account(request.user), now=timezone.now())
    messages.success(request, f"The token for {grant.name} opens nothing any more.")
    return redirect("desk:tokens")


def _account(request: HttpRequest) -> User:
    return cast(User, request.user)  # the door let nobody else in
