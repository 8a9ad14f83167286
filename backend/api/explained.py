"""What answers say beside a status: its reason, deadline and next step, what may be done, and by token its story."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings

from backend.bookings.lifecycle.explanation import AllowedAction, Explanation, VisitorAction
from backend.bookings.story import Told
from backend.core import formatting

# method, path and what is sent; the token is the mailed link's own, not the booking link's
DOORS = {
    VisitorAction.PAY: ("POST", "/api/bookings/initiate-payment/", ("acknowledgement_id",)),
    VisitorAction.CANCEL: ("POST", "/api/bookings/request-cancellation/", ("acknowledgement_id",)),
    VisitorAction.CANCEL_BY_MAIL: ("POST", "/api/bookings/verify-cancellation/", ("token",)),
    VisitorAction.MOVE: ("POST", "/api/bookings/move/", ("token", "psychologist", "start")),
    VisitorAction.SEND_LINK: ("POST", "/api/bookings/check-status/", ("email",)),
}


def explained(it: Explanation) -> dict[str, Any]:
    """As JSON; instants have the practice's offset."""
    return {
        "state_reason": it.reason or None,
        "deadline": formatting.iso(it.deadline),
        "next_step": it.sentence,
        "next_step_code": it.next_step.value,
        "allowed_actions": [_action(one) for one in it.actions],
    }


def history(told: Iterable[Told]) -> list[dict[str, Any]]:
    """What happened, oldest first."""
    return [{"at": formatting.iso(one.at), "status": one.state, "what": one.what, "text": one.text} for one in told]


def _action(allowed: AllowedAction) -> dict[str, Any]:
    method, path, sent = DOORS[allowed.action]
    return {
        "action": allowed.action.value,
        "method": method,
        "address": f"{settings.PUBLIC_URL}{path}",
        "send": list(sent),
        "until": formatting.iso(allowed.until),
    }
