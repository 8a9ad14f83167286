"""Where the links of a mail lead: addresses made of its tokens, as it is composed, and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from backend.bookings import links
from backend.bookings.models import Purpose
from backend.bookings.notices import LINKS_CARRIED, Notice
from backend.core.errors import Permanent
from backend.notifications.notification_context import TemplateContext


def addresses(notice: Notice, context: TemplateContext, tokens: Mapping[str, str]) -> TemplateContext:
    """Where this notice's links lead. Raises Permanent when a token is missing."""
    cancel = ("cancel_url", f"{settings.PUBLIC_URL}/go/cancel/")
    places = {
        Purpose.BOOKING: ("booking_url", f"{settings.FRONTEND_URL}/verify-email"),
        Purpose.CANCEL: cancel,
        Purpose.CANCEL_LATE: cancel,
        Purpose.RESCHEDULE: ("reschedule_url", f"{settings.PUBLIC_URL}/go/reschedule/"),
        Purpose.PAY: ("pay_page_url", f"{settings.PUBLIC_URL}/go/pay/"),
        Purpose.DATA: ("data_url", f"{settings.PUBLIC_URL}/go/data/"),
        Purpose.ROOM: ("room_url", f"{settings.PUBLIC_URL}/go/room/"),
        Purpose.ERASURE: ("erasure_url", f"{settings.PUBLIC_URL}/go/erasure/"),
        Purpose.AGAIN: ("again_url", f"{settings.PUBLIC_URL}/go/again/"),
    }
    found: TemplateContext = {}
    said = _language(context)
    must_have = LINKS_CARRIED.get(notice, ())
    for purpose in (*must_have, *(one for one in places if one in tokens and one not in must_have)):
        if purpose == Purpose.ALTERNATIVE:
            found["alternatives"] = [_with_address(row, tokens, said) for row in _rows(context, "alternatives")]
            continue
        token = tokens.get(purpose)
        if not token:
            raise Permanent(f"the {purpose} link that this mail carries is gone", surely_not_sent=True)
        name, place = places[purpose]
        found[name] = f"{place}?token={token}{said}"
        if purpose == Purpose.BOOKING and "receipt_number" in context:
            found["receipt_url"] = f"{settings.PUBLIC_URL}/go/receipt/?token={token}{said}"
    if context.get("has_room"):
        found["place"] = _way_in(context, tokens)
    return found


def _language(context: TemplateContext) -> str:
    """Pages speak as the mail did, where that is not what they would do by themselves."""
    language = context.get("language", settings.PRACTICE_LANGUAGE)
    return "" if language == settings.PRACTICE_LANGUAGE else f"&language={language}"


def _way_in(context: TemplateContext, tokens: Mapping[str, str]) -> str:
    """To the room, as who gives the session or as who has it; of a mail from before there were rooms, to the desk.

    Raises Permanent when there is no way.
    """
    token = tokens.get(Purpose.ROOM) or tokens.get(Purpose.BOOKING)
    if token:
        return f"{links.room_page(token)}{_language(context)}"
    if "admin_url" in context:
        return str(context["admin_url"])
    raise Permanent("the link to the room is gone", surely_not_sent=True)


def _rows(context: TemplateContext, name: str) -> list[TemplateContext]:
    rows = context.get(name, [])
    assert isinstance(rows, list)
    return rows


def _with_address(row: TemplateContext, tokens: Mapping[str, str], said: str) -> TemplateContext:
    """One of the times offered, with its own link. Raises Permanent when the token is missing."""
    token = tokens.get(links.alternative_token_name(int(str(row["number"]))))
    if not token:
        raise Permanent("the link of a time that this mail offers is gone", surely_not_sent=True)
    return {**row, "url": f"{settings.PUBLIC_URL}/go/alternative/?token={token}{said}"}
