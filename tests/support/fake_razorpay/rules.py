"""What Razorpay asks of a request, as documented."""

from __future__ import annotations

import re
from typing import Any

from tests.support.fake_razorpay.errors import require

FIFTEEN_MINUTES, SIX_MONTHS = 15 * 60, 184 * 86_400
_LINK_FIELDS = {
    *("amount", "currency", "accept_partial", "first_min_partial_amount", "upi_link", "description", "reference_id"),
    *("customer", "expire_by", "notify", "reminder_enable", "notes", "callback_url", "callback_method", "options"),
}
_REFUND_FIELDS = {"amount", "speed", "notes", "receipt"}


def require_amount(body: dict[str, Any]) -> None:
    amount = body.get("amount")
    require(isinstance(amount, int) and not isinstance(amount, bool), "The amount must be an integer.", "amount")
    assert isinstance(amount, int)
    require(amount >= 100, "The amount must be at least INR 1.00", "amount")


def require_link(body: dict[str, Any], now: float) -> None:
    """Of the body that creates one."""
    _require_fields(body, _LINK_FIELDS)
    require_amount(body)
    require(body.get("currency", "INR") in ("INR", "USD", "EUR"), "Currency is not supported", "currency")
    reference = body.get("reference_id", "")
    require(len(reference) <= 40, "The reference id may not be greater than 40 characters.", "reference_id")
    require(len(body.get("description", "")) <= 2048, "The description is too long", "description")
    _require_notes(body)
    expire_by = body.get("expire_by", now + SIX_MONTHS)
    soon = "expire_by should be at least 15 minutes after current time"
    require(isinstance(expire_by, int | float) and expire_by >= now + FIFTEEN_MINUTES, soon, "expire_by")
    require(expire_by <= now + SIX_MONTHS, "expire_by cannot exceed six months", "expire_by")
    url, method = body.get("callback_url"), body.get("callback_method")
    require((url is None) == (method is None), "callback_url and callback_method go together", "callback_url")
    require(url is None or bool(re.match(r"https?://[^/]", url)), "The callback url format is invalid", "callback_url")
    require(method in (None, "get"), "callback_method must be get", "callback_method")


def require_refund(body: dict[str, Any], key: str | None) -> None:
    """Of the body that creates one, and of its idempotency key."""
    _require_fields(body, _REFUND_FIELDS)
    require_amount(body)
    _require_notes(body)
    if key is not None:
        require(len(key) >= 10, "The idempotency key must be at least 10 characters long.")
        words = "The idempotency key must only contain alphanumeric characters, underscores, and hyphens"
        require(bool(re.fullmatch(r"[A-Za-z0-9_-]+", key)), words)


def _require_fields(body: dict[str, Any], known: set[str]) -> None:
    extra = ", ".join(sorted(set(body) - known))
    require(not extra, f"{extra} is/are not required and should not be sent")


def _require_notes(body: dict[str, Any]) -> None:
    notes = body.get("notes", {})
    fits = isinstance(notes, dict) and len(notes) <= 15 and all(len(str(note)) <= 256 for note in notes.values())
    require(fits, "The notes are at most 15 pairs of 256 characters", "notes")
