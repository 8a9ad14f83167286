"""The form of the log-in page. How often passwords are looked at, here as at the API, `backend.api.logins` says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed

from backend.bookings.refusals import staff_sentence
from backend.core.errors import Refused


class LoginForm(AdminAuthenticationForm):
    retry_after: timedelta | None = None  # that nobody looked at the password, and for how long that stays so

    def clean(self) -> dict[str, Any]:
        """Says so when no password is looked at any more for a while."""
        try:
            return super().clean()
        except Refused as refused:
            self.retry_after = refused.context["retry_after"]  # type: ignore[assignment]
            raise forms.ValidationError(staff_sentence(refused)) from refused

    def confirm_login_allowed(self, user: User) -> None:
        """The password is right; who is not staff fails all the same, and is recorded so."""
        try:
            super().confirm_login_allowed(user)
        except forms.ValidationError:
            name = user.get_username()
            user_login_failed.send(sender=LoginForm, credentials={"username": name}, request=self.request)
            raise
