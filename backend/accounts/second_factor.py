"""An account's second factor: what is set up, whether what somebody shows is right, and taking it all away."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django_otp_webauthn.models import WebAuthnCredential

from backend.accounts import sessions
from backend.accounts.models import DIGITS, STEP, Authenticator, RecoveryCode
from backend.core.row_ids import row_id

RECOVERY_CODES = 10
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing that is read for something else
CODE_LENGTH, GROUP = 16, 4
SECRET_BYTES = 20  # RFC 4226, 4: the length of SHA-1
_MISREAD = str.maketrans("ILO", "110")


def is_set_up(account: User) -> bool:
    """Whether there is anything to show beside the password."""
    return Authenticator.objects.filter(user=account, confirmed=True).exists() or has_passkey(account)


def has_passkey(account: User) -> bool:
    """Whether one is registered."""
    return bool(WebAuthnCredential.objects.filter(user=account, confirmed=True).exists())


@transaction.atomic
def remove_passkey(account: User, passkey_id: str) -> bool:
    """Whether it is gone; what would leave the account without a second factor stays."""
    User.objects.select_for_update().get(pk=account.pk)  # of two at once, one is the last
    found = WebAuthnCredential.objects.filter(user=account, pk=row_id(passkey_id))
    others = WebAuthnCredential.objects.filter(user=account).exclude(pk__in=found.values("pk"))
    has_more = others.exists() or Authenticator.objects.filter(user=account, confirmed=True).exists()
    return has_more and bool(found.delete()[0])


# -- codes of an app ---------------------------------------------------------------------------------------------------


def begin_app(account: User) -> Authenticator:
    """The app that is being set up. It counts once it has shown a code; until then every page shows the same secret."""
    fresh = {"secret": base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode(), "name": "app"}
    app: Authenticator = Authenticator.objects.get_or_create(user=account, confirmed=False, defaults=fresh)[0]
    return app


@transaction.atomic
def confirm_app(account: User, code: str) -> bool:
    """Whether the app that is being set up shows this code; then it takes the place of an earlier one."""
    made = Authenticator.objects.select_for_update().filter(user=account, confirmed=False).first()
    if made is None or not made.verify_token(code):
        return False
    Authenticator.objects.filter(user=account, confirmed=True).delete()
    made.confirmed = True
    made.save(update_fields=["confirmed"])
    return True


@transaction.atomic
def check_code(account: User, code: str) -> bool:
    """Whether the account's app shows this code now. Each is taken once; after a wrong one the next must wait."""
    app = Authenticator.objects.select_for_update().filter(user=account, confirmed=True).first()
    return app is not None and app.verify_token(code)


def slowed_until(account: User) -> datetime | None:
    """Until when neither password nor code is looked at, because some were wrong; None: they are."""
    found = [app.verify_is_allowed() for app in Authenticator.objects.filter(user=account)]
    return max((why["locked_until"] for is_allowed, why in found if not is_allowed), default=None)


@transaction.atomic
def slow_down(account: User) -> None:
    """A password was wrong where it is asked beside the factor: it counts as a wrong code does."""
    for app in Authenticator.objects.select_for_update().filter(user=account):
        app.throttle_increment()


def uri(app: Authenticator) -> str:
    """What an app reads from the picture: https://github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    issuer = settings.PRACTICE_NAME.replace(":", "")
    asked = {"secret": app.shared_secret(), "issuer": issuer, "digits": DIGITS, "period": STEP}
    return f"otpauth://totp/{quote(f'{issuer}:{app.user.get_username()}')}?{urlencode(asked, quote_via=quote)}"


# -- recovery codes ----------------------------------------------------------------------------------------------------


@transaction.atomic
def new_recovery_codes(account: User) -> list[str]:
    """Ten, which replace those before. They are told this once: the rows have digests."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(account=account).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(account=account, digest=_digest(code)) for code in codes)
    return ["-".join(_groups(code)) for code in codes]


def use_recovery_code(account: User, typed: str, *, now: datetime) -> bool:
    """Whether it was one that is left; it is not any more."""
    code = "".join(sign for sign in typed.upper() if sign.isalnum()).translate(_MISREAD)
    left = RecoveryCode.objects.filter(account=account, digest=_digest(code), used_at=None)
    return left.update(used_at=now) == 1


def recovery_codes_left(account: User) -> int:
    """How many may still be used."""
    return RecoveryCode.objects.filter(account=account, used_at=None).count()


def _groups(code: str) -> Iterable[str]:
    return (code[at : at + GROUP] for at in range(0, CODE_LENGTH, GROUP))


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


# -- the end -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def forget(account: User) -> None:
    """Nothing is set up any more, and nobody is logged in with it."""
    Authenticator.objects.filter(user=account).delete()
    WebAuthnCredential.objects.filter(user=account).delete()
    RecoveryCode.objects.filter(account=account).delete()
    sessions.end_all(account)
