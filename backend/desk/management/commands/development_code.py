"""Prints the code that the development account's app shows now, for who has no app at hand; only with DEBUG."""

from __future__ import annotations

from base64 import b32decode
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django_otp.oath import TOTP

from backend.accounts.models import DIGITS, STEP, Authenticator
from backend.core.commands import ReleasedCommand
from backend.desk.management.commands._development_account import NAME


class Command(ReleasedCommand):
    help = "Print the second factor's code of the account that `make run` made; a code works once."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("There is no development account with DEBUG off.")
        app = Authenticator.objects.filter(user__username=NAME, confirmed=True).first()
        if app is None:
            raise CommandError(f"The account {NAME} has no app; `make run` makes both.")
        self.stdout.write(f"{TOTP(b32decode(app.shared_secret()), STEP).token():0{DIGITS}}")
