"""A mail's calendar parts: the form in which Gmail and Outlook put a session into a calendar by themselves.

They act on an alternative to the mail's text that names its method. Others show the same as a file. What tells of
several sessions brings a file of each: an alternative is the whole mail's, and a calendar message has one UID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.mail import EmailMultiAlternatives

from backend.notifications.calendar_invite import Entry, Method, calendar_invite
from backend.notifications.notification_context import TemplateContext
from backend.notifications.rendering import domain

CALENDAR = "text/calendar"


def attach(mail: EmailMultiAlternatives, told: Sequence[TemplateContext], *, stamped_at: datetime) -> None:
    """Of each session that is told, as far as its context names an entry."""
    found = [(one, entry) for one in told if isinstance(entry := one.get("entry"), dict)]
    for number, (one, entry) in enumerate(found, start=1):
        method = Method(entry["method"])
        content = calendar_invite(
            _entry(one, entry, method), method, domain=domain(), stamped_at=stamped_at, attendee=mail.to[0]
        )
        kind = f"{CALENDAR}; method={method}"
        if len(found) == 1:
            mail.attach_alternative(content.decode(), kind)
        mail.attach("appointment.ics" if len(found) == 1 else f"appointment-{number}.ics", content, kind)


def _entry(one: TemplateContext, entry: Mapping[str, Any], method: Method) -> Entry:
    return Entry(
        str(one["acknowledgement_id"]),
        int(entry["sequence"]),
        datetime.fromisoformat(entry["starts_at"]),
        datetime.fromisoformat(entry["ends_at"]),
        place="" if method is Method.CANCEL else str(one.get("place", "")),
    )
