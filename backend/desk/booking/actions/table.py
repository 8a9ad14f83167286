"""Every action of staff in the order of its buttons, and which of them somebody is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backend.bookings.access import AccessPolicy
from backend.bookings.models import Booking
from backend.desk.booking.actions.action import Action
from backend.desk.booking.actions.approve import Approve
from backend.desk.booking.actions.cancel import Cancel
from backend.desk.booking.actions.offer_choice import OfferChoice
from backend.desk.booking.actions.outcome import RecordOutcome
from backend.desk.booking.actions.payment import RecordPayment, Sponsor, VoidPayment
from backend.desk.booking.actions.refund import GrantRefund, RefundMade
from backend.desk.booking.actions.reject import Reject
from backend.desk.booking.actions.reschedule import Reschedule
from backend.desk.booking.actions.undo import Undo
from backend.desk.navigation import PageLink, booking_url

ACTIONS: tuple[Action[Any], ...] = (
    Undo(),
    Approve(),
    RecordPayment(),
    RecordOutcome(),
    RefundMade(),
    VoidPayment(),
    Sponsor(),
    Reschedule(),
    OfferChoice(),
    GrantRefund(),
    Reject(),
    Cancel(),
)
_BY_NAME = {action.name: action for action in ACTIONS}


def url_name(action: Action[Any]) -> str:
    """Of its page."""
    return f"bookings_booking_{action.name}"


def open_to(access: AccessPolicy, booking: Booking, *, now: datetime) -> list[Action[Any]]:
    """The actions whose buttons the booking's page shows to somebody."""
    return [action for action in ACTIONS if access.may_act(booking, action.scope) and action.is_open(booking, now)]


def action_links(access: AccessPolicy, booking: Booking, *names: str) -> tuple[PageLink, ...]:
    """To the pages of those actions that are the account's to take; each says what would happen, and asks."""
    return tuple(
        PageLink(action.label, booking_url(f"admin:{url_name(action)}", booking.pk))
        for action in (_BY_NAME[name] for name in names)
        if access.may_act(booking, action.scope)
    )
