"""What each provider of rooms needs, and what that looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from backend.core.environment import Misconfigured
from backend.rooms.keys import private_key

_NEEDED = {
    "static": (),
    "jitsi": ("JITSI_URL", "JITSI_APP_ID", "JITSI_SECRET"),
    "zoom": ("ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET", "ZOOM_URL", "ZOOM_LOGIN_URL"),
}
CHOICES = tuple(_NEEDED)


def refuse_unfit(given: Mapping[str, str], *, chosen: str, is_real: bool) -> None:
    """Raise Misconfigured, naming the variable and never quoting it: missing for the provider, or of another form.

    `is_real`: people meet, so that nothing travels in clear.
    """
    missing = [name for name in _NEEDED[chosen] if not given[name]]
    if missing:
        raise Misconfigured(f"{' and '.join(missing)} must be set for ROOMS={chosen}.")
    for name in _NEEDED[chosen]:
        if is_real and name.endswith("_URL") and not given[name].startswith("https://"):
            raise Misconfigured(f"{name} must begin with https:// with DEBUG off.")
    if chosen == "jitsi":
        _refuse_unfit_jitsi(given)


def _refuse_unfit_jitsi(given: Mapping[str, str]) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", given["JITSI_APP_ID"]):
        raise Misconfigured("JITSI_APP_ID: expected letters, digits, dots and dashes.")
    if given["JITSI_KEY_ID"]:
        _refuse_unless_private_key(given["JITSI_SECRET"])
    elif not re.fullmatch(r"[!-~]{32,200}", given["JITSI_SECRET"]):
        raise Misconfigured("JITSI_SECRET: expected 32 characters or more without spaces, as `openssl rand -hex 32`.")


def _refuse_unless_private_key(secret: str) -> None:
    try:
        key = load_pem_private_key(private_key(secret), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured("JITSI_SECRET: with JITSI_KEY_ID expected an RSA private key, as `base64 -w0 key.pem`.")
