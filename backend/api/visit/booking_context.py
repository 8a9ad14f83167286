"""How a booking stands, as pages tell it: what the API answers, in words and with instants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from backend.api import responses
from backend.bookings.lifecycle.explanation import VisitorAction
from backend.bookings.machine import ACTIVE, State
from backend.bookings.models import Booking, Mode
from backend.bookings.payment_status import outstanding_paise, paid_paise
from backend.bookings.queries import Progress
from backend.core import formatting


def by_id(found: Progress, *, now: datetime) -> dict[str, Any]:
    """What everybody may read who knows the id."""
    return _told(found.booking, responses.status(found, now=now))


def by_token(booking: Booking, token: str, *, now: datetime) -> dict[str, Any]:
    """What the person may read who got the mail: with its story, who they meet, and where."""
    answer = responses.detail(booking, token, now=now)
    return {
        **_told(booking, answer),
        "psychologist": answer["psychologist"],
        "meeting_link": answer["meeting_link"],
        "address": answer["address"],
        "calendar_url": answer.get("add_to_calendar_url", ""),
        "story": [{"at": datetime.fromisoformat(one["at"]), "text": one["text"]} for one in answer["history"]],
    }


def _told(booking: Booking, answer: Mapping[str, Any]) -> dict[str, Any]:
    until = {one["action"]: one["until"] for one in answer["allowed_actions"]}
    can_pay = VisitorAction.PAY in until
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "state": State(booking.state),
        "is_open": booking.state in ACTIVE,
        "state_name": heading(booking),
        "next_step": answer["next_step"],
        "deadline": _instant(answer["deadline"]),
        "slot_start": booking.slot_start if booking.state in (*ACTIVE, State.COMPLETED) else None,
        "is_online": booking.mode == Mode.ONLINE,
        "to_pay": formatting.money(outstanding_paise(booking)) if can_pay else "",
        "paid": formatting.money(paid) if (paid := paid_paise(booking)) else "",
        "can": {action: action in until for action in VisitorAction},
        "until": {action: _instant(at) for action, at in until.items()},
    }


def _instant(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def heading(booking: Booking) -> str:
    """The state, in words."""
    names = {
        State.PENDING: _("Your request is with us"),
        State.APPROVED: _("We are holding a time for you"),
        State.PAYMENT_PENDING: _("Your payment has begun"),
        State.CONFIRMED: _("Your session is confirmed"),
        State.COMPLETED: _("Your session has taken place"),
        State.REJECTED: _("We could not offer a session"),
        State.CANCELLED: _("This booking is cancelled"),
        State.PAYMENT_FAILED: _("The payment did not come in time"),
    }
    return names[State(booking.state)]
