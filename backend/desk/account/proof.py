"""The forms in which somebody proves who they are, and what is said when that fails."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django import forms
from django.contrib.auth import authenticate, password_validation
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from backend.accounts import passkeys, second_factor
from backend.accounts.verification import Factor, factor_refused
from backend.bookings.refusals import staff_sentence
from backend.core.admin_site import tell_to_wait
from backend.core.errors import Refused

WRONG_CODE = "This is not the code that the app shows now. A code works once: wait for the next one."
WRONG_PASSWORD = "This is not your password."  # noqa: S105  # a sentence
WRONG_PASSKEY = "This passkey was not accepted. Try again, or type a code."
WRONG_RECOVERY = "This is none of your recovery codes that are left."


class ProofForm(forms.Form):
    """One of: a code of the app, a recovery code, a passkey's answer, which the page's script puts in."""

    code = forms.CharField(
        required=False,
        max_length=20,
        label="Code from your app",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}),
    )
    recovery_code = forms.CharField(
        required=False, max_length=40, label="Recovery code", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    passkey = forms.CharField(required=False, widget=forms.HiddenInput)
    asks_password = False

    def __init__(self, request: HttpRequest, account: User, *, now: datetime) -> None:
        super().__init__(request.POST or None)
        self.request, self.account, self.now = request, account, now
        self.factor: Factor | None = None
        self.retry_after: timedelta | None = None  # nothing is looked at for so long
        for name in self.fields:
            self.fields[name].widget.attrs["class"] = "form-control"

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or self.cleaned_data
        self.refuse_too_soon(typed)
        self.check_password(typed)
        if self.errors:
            return typed
        self.factor, why = self.shown(typed)
        if self.factor is None:
            factor_refused.send(sender=type(self), account=self.account, now=self.now)
            raise forms.ValidationError(why)
        return typed

    def refuse_too_soon(self, typed: dict[str, Any]) -> None:
        """After wrong ones no code and no password is looked at for a while, longer each time; the rest comes in."""
        until = second_factor.slowed_until(self.account)
        if until is not None and (self.asks_password or not (typed.get("recovery_code") or typed.get("passkey"))):
            self.retry_after = until - self.now
            seconds = max(1, ceil(self.retry_after.total_seconds()))
            raise forms.ValidationError(f"Too many were wrong. Try again in {seconds} seconds.")

    def check_password(self, typed: dict[str, Any]) -> None:
        """Nothing to check: it was typed at the log-in."""

    def shown(self, typed: dict[str, Any]) -> tuple[Factor | None, str]:
        """By what the second step is done, or why it is not."""
        if typed.get("passkey"):
            is_right = passkeys.is_shown(self.request, self.account, typed["passkey"])
            return (Factor.PASSKEY, "") if is_right else (None, WRONG_PASSKEY)
        if typed.get("recovery_code"):
            is_right = second_factor.use_recovery_code(self.account, typed["recovery_code"], now=self.now)
            return (Factor.RECOVERY_CODE, "") if is_right else (None, WRONG_RECOVERY)
        is_right = second_factor.check_code(self.account, _digits(typed))
        return (Factor.APP, "") if is_right else (None, WRONG_CODE)


class ConfirmForm(ProofForm):
    """And the password."""

    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True})
    )
    field_order = ["password", "code", "recovery_code", "passkey"]
    asks_password = True

    def check_password(self, typed: dict[str, Any]) -> None:
        """Counted and recorded as at the log-in; whoever has an app waits besides."""
        if "password" not in typed:
            return
        name = self.account.get_username()
        try:
            found = authenticate(self.request, username=name, password=typed["password"])
        except Refused as refused:
            self.retry_after = refused.context["retry_after"]  # type: ignore[assignment]
            raise forms.ValidationError(staff_sentence(refused)) from refused
        if found is None:
            second_factor.slow_down(self.account)
            self.add_error("password", WRONG_PASSWORD)


class EnrolForm(ConfirmForm):
    """The password, and a code of the app that is being set up, or a new passkey."""

    recovery_code = None  # type: ignore[assignment]  # there are none yet

    def shown(self, typed: dict[str, Any]) -> tuple[Factor | None, str]:
        if typed.get("passkey"):
            is_right = passkeys.register(self.request, self.account, typed["passkey"])
            return (Factor.PASSKEY, "") if is_right else (None, WRONG_PASSKEY)
        is_right = second_factor.confirm_app(self.account, _digits(typed))
        return (Factor.APP, "") if is_right else (None, WRONG_CODE)


class NewPasswordForm(EnrolForm):
    """For an account that has no password yet; it is stored with the rest."""

    password = forms.CharField(
        strip=False,
        label="New password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )
    again = forms.CharField(
        strip=False, label="The same again", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    field_order = ["password", "again", "code", "passkey"]

    def check_password(self, typed: dict[str, Any]) -> None:
        if typed.get("password") != typed.get("again"):
            self.add_error("again", "These are two different passwords.")
        try:
            password_validation.validate_password(typed.get("password", ""), self.account)
        except forms.ValidationError as why:
            self.add_error("password", why)


def proof_page(request: HttpRequest, template: str, form: ProofForm, **context: object) -> HttpResponse:
    """The form once more: 400 for what was wrong, 429 where nothing was looked at."""
    status = 400 if form.errors else 200
    response = TemplateResponse(request, template, {**context, "form": form}, status=status)
    tell_to_wait(response, form.retry_after)
    return response


def _digits(typed: dict[str, Any]) -> str:
    """A code as apps show it, in groups."""
    return "".join(typed.get("code", "").split())


def next_of(request: HttpRequest) -> str:
    """Where somebody wanted to go, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours and wanted.startswith("/admin/") else reverse("admin:index")
