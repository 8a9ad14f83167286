"""Passkeys (WebAuthn) as a second factor: what the browser is asked, and whether its answer is right.

The challenge stands in the session from one page to the next, and is taken out by the first answer.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django_otp_webauthn.models import WebAuthnCredential

CHALLENGE = "passkey_challenge"
LONGEST_NAME = 64
log = logging.getLogger(__name__)


class Asked(Protocol):
    """A request, which floors above know."""

    session: Any


def are_offered() -> bool:
    """Browsers have passkeys on https and on localhost alone."""
    return bool(settings.PASSKEYS_OFFERED)


def ask_to_register(request: Asked, account: User) -> dict[str, Any]:
    """What the browser's `navigator.credentials.create` is given."""
    options, request.session[CHALLENGE] = _ceremony(request).register_begin(user=account)
    return dict(options)


def ask_to_show(request: Asked, account: User) -> dict[str, Any]:
    """What the browser's `navigator.credentials.get` is given."""
    options, request.session[CHALLENGE] = _ceremony(request).authenticate_begin(
        user=account, require_user_verification=False
    )
    return dict(options)


def register(request: Asked, account: User, answer: str, *, name: str = "") -> bool:
    """Whether the answer is a new passkey's; it is the account's from now on."""
    try:
        with transaction.atomic():
            made = _ceremony(request).register_complete(account, _challenge(request), json.loads(answer))
            made.name = name[:LONGEST_NAME] or "Passkey"
            made.save(update_fields=["name"])
    except _wrong(IntegrityError) as error:
        return _refused(error)
    return True


def is_shown(request: Asked, account: User, answer: str) -> bool:
    """Whether the answer comes from a passkey of the account, to what this session was asked."""
    try:
        with transaction.atomic():
            _ceremony(request).authenticate_complete(account, _challenge(request), json.loads(answer))
    except _wrong() as error:
        return _refused(error)
    return True


def of(account: User) -> list[WebAuthnCredential]:
    """The account's, the oldest first."""
    return list(WebAuthnCredential.objects.filter(user=account).order_by("pk"))


def _ceremony(request: Asked) -> Any:
    from django_otp_webauthn.helpers import WebAuthnHelper  # heavy: see `passkeys_app`

    return WebAuthnHelper(request)


def _wrong(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What the library says to a wrong, old or foreign answer, what Python says to none, and more."""
    from django_otp_webauthn.exceptions import OTPWebAuthnApiError
    from webauthn.helpers.exceptions import WebAuthnException

    return (OTPWebAuthnApiError, WebAuthnException, ValueError, KeyError, TypeError, *more)


def _challenge(request: Asked) -> dict[str, Any]:
    return dict(request.session.pop(CHALLENGE))


def _refused(error: Exception) -> bool:
    log.warning("a passkey was refused: %s", type(error).__name__)
    return False
