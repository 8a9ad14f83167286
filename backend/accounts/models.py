"""What an account proves itself with beside its password, and where it is logged in."""

from __future__ import annotations

import time
from base64 import b32decode
from uuid import uuid4

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from backend.accounts import scopes
from backend.core import disclosures
from backend.core.encryption import EncryptedTextField, Unreadable
from backend.core.personal_data import classify

DIGITS = 6
STEP = 30  # seconds that a code is shown, as every app has it: RFC 6238, 5.2
TOLERANCE = 1  # steps before and after: a clock that is off, a code typed slowly
MOST_FAILURES = 10  # that count: the next code waits 2^9 s, under nine minutes, and nobody is locked out for good


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]  # the library has no annotations
    """An app that shows a new code every 30 s (TOTP). Not confirmed: its account has not yet shown that it has it."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    secret = EncryptedTextField(row_id="uuid")  # base32, as people type it into an app
    last_step = models.BigIntegerField(default=-1)  # of the code that was taken last; no code is taken twice

    SENSITIVITY = classify(
        sensitive="secret",
        internal="uuid user name confirmed last_step throttling_failure_timestamp throttling_failure_count",
    )

    def verify_token(self, token: str) -> bool:
        """Whether the app shows this code now; call it in a transaction that has locked the row. Failures slow down."""
        if not self.verify_is_allowed()[0]:
            return False
        secret = self.shared_secret()
        if isinstance(secret, Unreadable):
            return False
        totp = TOTP(b32decode(secret), STEP)
        totp.time = time.time()
        is_code = len(token) == DIGITS and token.isascii() and token.isdigit()
        if not (is_code and totp.verify(int(token), TOLERANCE, self.last_step + 1)):
            self.throttle_increment()
            return False
        self.last_step = totp.t()  # of the step that matched
        self.throttle_reset(commit=False)
        self.save()
        return True

    def shared_secret(self) -> str:
        """It is nothing that somebody told of themselves, so reading it is no disclosure."""
        with disclosures.unseen():
            secret: str = self.secret
            return secret

    def throttle_increment(self, commit: bool = True) -> None:
        """Doubles the wait, up to a longest one."""
        super().throttle_increment(commit=False)
        self.throttling_failure_count: int = min(self.throttling_failure_count, MOST_FAILURES)
        if commit:
            self.save()

    def get_throttle_factor(self) -> int:
        """Seconds after the first failure."""
        return 1


class RecoveryCode(models.Model):
    """For who has lost the rest. 80 random bits, so that a plain digest keeps it."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)  # SHA-256, hex
    used_at = models.DateTimeField(null=True)

    SENSITIVITY = classify(internal="account digest used_at")

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class EnrolmentLink(models.Model):
    """Lets whoever holds it set up the account's second factor, once. A newer one of the account replaces it."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrolment_link")
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the token, hex
    made_by = models.CharField(max_length=80)  # text: it outlives the account
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    SENSITIVITY = classify(internal="account digest made_by made_at expires_at")

    def __str__(self) -> str:
        return f"enrolment link {self.pk}"


# what a browser calls itself, by the first sign that fits: each also names those that it wants to be taken for
BROWSERS = (("Firefox/", "Firefox"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)  # fmt: skip


class Session(AbstractBaseSession):
    """Where an account is logged in. The key is in the cookie alone, so that a copy of the table opens nothing."""

    session_key = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the key, hex
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="staff_sessions"
    )
    agent = models.CharField(max_length=200, blank=True)  # what the browser calls itself
    network = models.CharField(max_length=45, blank=True, default="", db_default="")  # of the log-in
    began_at = models.DateTimeField(null=True)  # the log-in
    seen_at = models.DateTimeField(null=True)  # to the minute
    is_verified = models.BooleanField(default=False)  # the second step is done

    @property
    def browser(self) -> str:
        """As people say it: `Firefox on Windows`."""
        program = next((name for sign, name in BROWSERS if sign in self.agent), "A browser")
        system = next((name for sign, name in SYSTEMS if sign in self.agent), "")
        return f"{program} on {system}" if system else program

    SENSITIVITY = classify(
        personal="agent network session_data", internal="session_key account began_at seen_at is_verified expire_date"
    )


class TokenGrant(models.Model):
    """What a token of the staff API is for, and may do. A token without one opens nothing."""

    token = models.OneToOneField("knox.AuthToken", on_delete=models.CASCADE, related_name="grant")
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=400)  # as `accounts.scopes` writes several

    SENSITIVITY = classify(internal="token name scope")

    def __str__(self) -> str:
        return f"token {self.pk}"

    @property
    def scope_words(self) -> str:
        """What people read of it."""
        return "; ".join(scopes.label(name) for name in self.scope.split())
