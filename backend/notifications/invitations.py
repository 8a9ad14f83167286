"""The mail that invites a colleague. Its link stands in no row: it is derived again by each attempt."""

from __future__ import annotations

from datetime import datetime

from backend.accounts import assignments, enrolment
from backend.bookings import actors
from backend.core import formatting
from backend.core.errors import Permanent
from backend.notifications.notification_context import TemplateContext
from backend.notifications.visitor_context import base_context, help_lines
from backend.outbox.models import Message


def invitation(message: Message, *, now: datetime) -> TemplateContext | None:
    """The context to freeze; None when its link was used, replaced or is too old."""
    found = enrolment.mailed(message.subject_id or 0, message.uuid, now=now)
    if found is None:
        return None
    link, _ = found
    if message.context is not None and message.may_have_left:
        return dict(message.context)
    return base_context() | {
        "account": link.account.get_username(),
        "role": assignments.role_of(link.account).lower(),
        "invited_by": actors.describe(link.made_by),
        "link_until": formatting.day_and_time(link.expires_at),
        "support_lines": help_lines(),
    }


def invitation_link(message: Message, *, now: datetime) -> TemplateContext:
    """Where it leads. Raises Permanent when it was used or replaced a moment ago."""
    found = enrolment.mailed(message.subject_id or 0, message.uuid, now=now)
    if found is None:
        raise Permanent("the link of the invitation is gone", surely_not_sent=True)
    return {"enrol_url": enrolment.address(found[1])}
