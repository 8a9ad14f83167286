"""What the webhooks of all channels share: whether a secret is ours, our key in what they say, a telephone's number."""

from __future__ import annotations

import hmac
import re
from contextlib import suppress
from uuid import UUID

from backend.core.errors import Code, Refused
from backend.core.outgoing.fields import Fields, Malformed

PROVIDERS_ID_LONGEST = 200  # characters, as the outbox's column


def require_same(given: str, wanted: str) -> None:
    """In constant time. Refuses: signature_invalid."""
    if not hmac.compare_digest(given.encode(errors="replace"), wanted.encode()):
        raise Refused(Code.SIGNATURE_INVALID)


def key_of(fields: Fields, name: str) -> UUID | None:
    """None for what is no key of ours; the provider's id is looked at then."""
    with suppress(Malformed, ValueError):
        return UUID(fields.text(name, longest=40))
    return None


def providers_id(fields: Fields, name: str) -> str:
    """Empty for what is none."""
    with suppress(Malformed):
        return fields.text(name, longest=PROVIDERS_ID_LONGEST)
    return ""


def phone(digits: str) -> str | None:
    """E.164 of what providers write without its plus sign; None for what is no number."""
    return f"+{digits.removeprefix('+')}" if re.fullmatch(r"\+?[1-9]\d{6,14}", digits) else None
