"""What the booking link brings when it is asked for again: all that the mails before it said, as it is now."""

from __future__ import annotations

from backend.bookings.machine import HOLDS_SLOT, State
from backend.notifications import conditions, money_context, visitor_context
from backend.notifications.notification_context import ContextBuilder, NotificationContext, TemplateContext


def present_state(notification: NotificationContext) -> TemplateContext:
    """What the booking's state owes to somebody who has lost our mails."""
    state = notification.booking.state
    if state == State.PENDING:
        return {"is_session": False, "is_request": True, **visitor_context.request_details(notification)}
    if state not in HOLDS_SLOT:
        return {"is_session": False}
    facts: TemplateContext = {"is_session": True, "is_ahead": conditions.start_ahead(notification)}
    told: tuple[ContextBuilder, ...] = (visitor_context.movable, money_context.amount_due_or_paid)
    if notification.booking.choose_by is not None:  # then nothing is to be paid, and the move is not one of theirs
        told = (visitor_context.choice,)
    for build in (visitor_context.session, *told, money_context.refund_terms):
        facts |= build(notification)
    return facts
