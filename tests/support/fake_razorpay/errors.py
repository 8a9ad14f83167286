"""Razorpay's errors: a status, and a sentence in the shape of its documentation."""

from __future__ import annotations

from typing import Any

from tests.support.fake_gateway.errors import ErrorAnswer


class Rejected(ErrorAnswer):
    """An answer that is not 2xx."""

    def __init__(self, description: str, *, status: int = 400, field: str | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.body: dict[str, Any] = {
            "error": {
                "code": "BAD_REQUEST_ERROR" if status < 500 else "SERVER_ERROR",
                "description": description,
                "source": "business",
                "step": "payment_initiation",
                "reason": "input_validation_failed",
                "metadata": {},
                "field": field,
            }
        }


def unknown() -> Rejected:
    return Rejected("The id provided does not exist")


def require(holds: bool, description: str, field: str | None = None) -> None:
    """Raise Rejected unless it holds."""
    if not holds:
        raise Rejected(description, field=field)
