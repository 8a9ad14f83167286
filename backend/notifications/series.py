"""A mail about several bookings: what it says of each stands in `sessions`, beside what it says once."""

from __future__ import annotations

from uuid import UUID

from backend.bookings import links
from backend.bookings.notices import LINKS_CARRIED, Notice
from backend.notifications.mailed_links import addresses as addresses_of_one
from backend.notifications.notification_context import TemplateContext
from backend.outbox.models import Message


def identity(subject: Message) -> TemplateContext:
    """Which booking of the message, and as of which step."""
    return {"uuid": str(subject.uuid), "sequence": subject.ledger_sequence or 0}


def sessions(context: TemplateContext) -> list[TemplateContext]:
    """What the mail says of each booking, by time."""
    found = context["sessions"]
    assert isinstance(found, list)
    return found


def summary(context: TemplateContext) -> TemplateContext:
    """What a mail says once, as it holds of some of its bookings."""
    each = sessions(context)
    return {
        "more": len(each) - 1,
        "is_any_to_pay": any(one.get("pay_by") for one in each),
        "is_any_confirmed": any(one.get("is_confirmed") or one.get("was_confirmed") for one in each),
    }


def addresses(notice: Notice, context: TemplateContext) -> TemplateContext:
    """Each session with its own links. Raises Permanent when a token is missing."""
    if notice not in LINKS_CARRIED and not any(one.get("has_room") for one in sessions(context)):
        return {}
    return {
        "sessions": [
            one | addresses_of_one(notice, context | one, links.tokens_of(UUID(str(one["uuid"]))))
            for one in sessions(context)
        ]
    }
