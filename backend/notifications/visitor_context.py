"""What a notice says to a visitor of the request and the session. Never a token, never a line of their message."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from django.conf import settings
from django.utils.translation import get_language, gettext

from backend.bookings import policy
from backend.bookings.actors import VISITOR
from backend.bookings.guarantees import deadline, held_session, psychologist_of
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Moved, details_of
from backend.bookings.machine import HOLDS_SLOT, Reason, State
from backend.bookings.models import Alternative, Booking, Mode, Origin, Period
from backend.bookings.refund_policy import move_until, refund_deadline
from backend.core import formatting, languages
from backend.core.errors import required
from backend.core.formatting import practice_zone
from backend.notifications.notification_context import NotificationContext, TemplateContext
from backend.rooms import adapters as rooms
from backend.scheduling import claims


def base_context() -> TemplateContext:
    """In every mail. Help lines beyond 112 follow once the address is proved, with `known`."""
    return {
        "practice": settings.PRACTICE_NAME,
        "site_url": settings.FRONTEND_URL,
        "support_lines": [],
        "language": get_language(),
        "time_zone": zone.key if (zone := languages.reader_zone()) else "",
    }


# -- the request -------------------------------------------------------------------------------------------------------


def unproved(notification: NotificationContext) -> TemplateContext:
    """Nothing that was typed: the reader may be a stranger to the request."""
    booking = notification.booking
    facts: TemplateContext = {
        "asked_at": formatting.day_and_time(booking.created_at),
        "is_by_button": not settings.HAS_OTHER_SITE,  # a site's page confirms by a script, ours by its button
    }
    if booking.due_at is not None:
        facts["confirm_by"] = formatting.day_and_time(booking.due_at)
    return facts


def proved_visitor(notification: NotificationContext) -> TemplateContext:
    """For whoever proved the address."""
    return {
        "acknowledgement_id": notification.booking.acknowledgement_id,
        "first_name": _first_name(notification.booking.full_name),
        "support_lines": help_lines(),
    }


def reference(notification: NotificationContext) -> TemplateContext:
    """The booking's name, where several are spoken of."""
    return {"acknowledgement_id": notification.booking.acknowledgement_id}


def kept(notification: NotificationContext) -> TemplateContext:
    """Until when a closed booking can be read."""
    closed_at = notification.booking.closed_at
    return {"readable_until": formatting.day_and_time(closed_at + policy.LINK_KEPT_AFTER_CLOSE) if closed_at else ""}


def own_data(_notification: NotificationContext) -> TemplateContext:
    """How long the link to all that is kept of a person works."""
    return {"data_link_lifetime": formatting.span(policy.DATA_LINK_LIFETIME)}


def request_details(notification: NotificationContext) -> TemplateContext:
    """What was asked for, how it came to us, and by when we answer."""
    booking = notification.booking
    return {
        "preferred": _preference(booking),
        "is_online": booking.mode == Mode.ONLINE,
        "answer_by": formatting.day_and_time(deadline(booking)),
        "is_by_staff": booking.origin == Origin.STAFF,
        "is_again": booking.is_priority,
    }


def again_link(notification: NotificationContext) -> TemplateContext:
    """Until when the same request can be sent once more."""
    ends_at = notification.message.created_at + policy.AGAIN_LINK_LIFETIME
    return {
        "asked_at": formatting.day_and_time(notification.booking.created_at),
        "again_until": formatting.day_and_time(ends_at),
    }


def note(notification: NotificationContext) -> TemplateContext:
    """What staff add in their own words, on one line."""
    return {"note": _on_one_line(notification.booking.note_to_visitor)}


def alternatives(notification: NotificationContext) -> TemplateContext:
    """The times offered instead that are still free as this is written, in their order; nobody holds them."""
    rows = Alternative.objects.filter(booking=notification.booking).select_related("psychologist")
    ends_at = notification.message.created_at + policy.ALTERNATIVE_LINK_LIFETIME
    free = [row for row in rows if ends_at > notification.now and claims.is_alternative_free(row, now=notification.now)]
    return {
        "alternatives": [
            {
                "number": row.number,
                "starts": formatting.day_and_time(row.slot_start),
                "psychologist": row.psychologist.full_name,
                "amount": ""
                if notification.booking.is_sponsored or not row.amount_paise
                else formatting.grouped_rupees(row.amount_paise),
            }
            for row in free
        ],
        "alternatives_until": formatting.day_and_time(ends_at),
    }


# -- the session -------------------------------------------------------------------------------------------------------


def session(notification: NotificationContext) -> TemplateContext:
    """Who, when and where, as the booking has it now."""
    booking = notification.booking
    held = held_session(booking)
    return {
        "psychologist": psychologist_of(booking).full_name,
        "starts": formatting.day_and_time(held.start),
        "starts_clock": formatting.clock_time(held.start),
        "ends_clock": formatting.clock_time(held.end),
        "starts_at": held.start.isoformat(),
        "ends_at": held.end.isoformat(),
        "is_online": booking.mode == Mode.ONLINE,
        **_place(booking),
        "is_confirmed": booking.state == State.CONFIRMED,
    }


def session_origin(notification: NotificationContext) -> TemplateContext:
    """How this session came about, where that was not by a request that we answered."""
    booking = notification.booking
    return {
        "is_follow_up": booking.follows_id is not None,
        "is_alternative": hasattr(booking, "taken_from"),
    }


def previous_time(notification: NotificationContext) -> TemplateContext:
    """The time it had before, if the move changed that, and whose wish it was."""
    entry = required(notification.entry, "ledger entry", notification.message)
    was = details_of(entry, Moved).was
    is_new_time = was != notification.booking.slot_start
    return {
        "was": formatting.day_and_time(was) if is_new_time else "",
        "is_new_time": is_new_time,
        "is_by_visitor": entry.actor == VISITOR,
    }


def movable(notification: NotificationContext) -> TemplateContext:
    """Until when the visitor can choose another time; empty, and so unsaid, when they cannot."""
    ends_at = move_until(notification.booking)
    return {
        "move_until": formatting.day_and_time(ends_at) if ends_at is not None and ends_at > notification.now else ""
    }


def choice(notification: NotificationContext) -> TemplateContext:
    """Until when another time is to be chosen; empty, and so unsaid, where none is."""
    ends_at = notification.booking.choose_by
    return {"choose_by": formatting.day_and_time(ends_at) if ends_at is not None else ""}


def held_time(notification: NotificationContext) -> TemplateContext:
    """The session's time, for a booking that may have none; enough to tell which one is meant."""
    booking = notification.booking
    return {"starts": formatting.day_and_time(booking.slot_start) if booking.slot_start else ""}


def stands(notification: NotificationContext) -> TemplateContext:
    """How far a booking is that was nearly called off."""
    state = notification.booking.state
    return {
        "is_session": state in HOLDS_SLOT,
        "is_confirmed": state == State.CONFIRMED,
        **choice(notification),
    }


# -- calling off -------------------------------------------------------------------------------------------------------


def cancel_link(notification: NotificationContext) -> TemplateContext:
    """Until when the link that proves the wish to cancel works."""
    return {"link_until": formatting.day_and_time(notification.message.created_at + policy.CANCEL_LINK_LIFETIME)}


def cancelled_session(notification: NotificationContext) -> TemplateContext:
    """What was called off, by whom, and how they put it."""
    booking, entry = notification.booking, notification.entry
    by_staff = booking.reason == Reason.BY_STAFF
    return {
        "is_by_staff": by_staff,
        "is_unchosen": entry is not None and entry.intent == Intent.LAPSE_CHOICE,
        # said as the reason that nothing comes back, so only where an earlier hour would have changed that
        "is_late": booking.reason == Reason.CANCELLED_LATE and refund_deadline(booking) is not None,
        "was_confirmed": entry is not None and entry.source == State.CONFIRMED,
        "starts": formatting.day_and_time(booking.slot_start) if booking.slot_start else "",
        "note": _on_one_line(booking.note_to_visitor),
        # staff gave less back than the terms do
        "is_decided": by_staff or bool(booking.refund_note),
    }


# -- details -----------------------------------------------------------------------------------------------------------


_LIKE_A_LINK = re.compile(r"[/:@]|[.\u3002]\S")  # in NFKC; IDNA reads the ideographic stop as a dot, too


def _first_name(full_name: str) -> str:
    """The word to greet by: the first, or the whole name where that is a title or an initial ("Dr.", "R").

    Empty for what mail programs would turn into a link: whoever typed the name chose its target.
    """
    first, _, rest = " ".join(full_name.split()).partition(" ")
    name = f"{first} {rest}".strip() if first.endswith(".") or len(first) < 2 else first
    return "" if _LIKE_A_LINK.search(unicodedata.normalize("NFKC", name)) else name


def _preference(booking: Booking) -> str:
    day = booking.preferred_date
    text = formatting.day_of_week(day)
    if booking.preferred_period != Period.CUSTOM:
        is_morning = booking.preferred_period == Period.MORNING
        said = gettext("{day}, in the morning") if is_morning else gettext("{day}, in the evening")
        return said.format(day=text)
    if booking.preferred_time_start is None or booking.preferred_time_end is None:
        return text
    ends_at = datetime.combine(day, booking.preferred_time_end, tzinfo=practice_zone())
    said = gettext("{day}, between {start} and {end}")
    return said.format(day=text, start=f"{booking.preferred_time_start:%H:%M}", end=formatting.clock_time(ends_at))


def _place(booking: Booking) -> TemplateContext:
    """Where it is. The page of a room is known by a token, and stands in the mail alone."""
    has_room = booking.mode == Mode.ONLINE and not rooms.are_shared()
    if has_room:
        return {"place": "", "has_room": True}
    return {"place": booking.meeting_link if booking.mode == Mode.ONLINE else _address(booking)}


def _address(booking: Booking) -> str:
    return ", ".join(line.strip(" ,") for line in booking.address.splitlines() if line.strip(" ,"))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def help_lines() -> list[dict[str, str]]:
    """Each line with the digits that a telephone dials."""
    return [
        {"name": name, "number": number, "dial": "".join(sign for sign in number if sign in "+0123456789")}
        for name, number in formatting.support_lines()
    ]
