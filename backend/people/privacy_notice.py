"""What we tell whoever entrusts us with something: the privacy notice, in every version that somebody accepted.

A version is never edited: a booking keeps which one its visitor accepted, and that text must be found again. A change
is a new version, and the last one is in force. Who receives what stands in docs/privacy.md, which each version follows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _


class NoticeVersion(StrEnum):
    """The day from which a version is in force."""

    FIRST = "2026-11-28"
    TELEPHONES = "2026-11-29"  # names who carries reminders to them


@dataclass(frozen=True)
class PrivacyNotice:
    """One version in one language. `items` are (heading, text), in the order in which they are shown."""

    version: NoticeVersion
    language: str  # ISO 639-1
    title: str
    items: tuple[tuple[str, str], ...]


def _but(notice: PrivacyNotice, version: NoticeVersion, heading: str, text: str) -> PrivacyNotice:
    """The same with another text under one heading."""
    return replace(
        notice, version=version, items=tuple((name, text if name == heading else was) for name, was in notice.items)
    )


NOTICES = {
    NoticeVersion.FIRST: PrivacyNotice(
        version=NoticeVersion.FIRST,
        language="en",
        title=_("How we handle what you tell us"),
        items=(
            (
                _("What we keep"),
                _(
                    "Your name, email address, telephone number, city, state, country, age and gender; whom to call"
                    " in an emergency; when and how you would like to meet; and your message, if you write one."
                ),
            ),
            (
                _("What for"),
                _(
                    "To answer your request, to hold and be paid for your sessions, and to reach you or your "
                    "emergency contact when that is needed. For nothing else: no advertising, no profiles, no "
                    "tracking in our mails."
                ),
            ),
            (
                _("Who sees it"),
                _(
                    "The practice. Your message is read by the psychologist who treats you, by those who decide "
                    "about a request that nobody has taken yet, and by the owner; whoever opens it is recorded."
                ),
            ),
            (
                _("Who works for us"),
                _(
                    "The services that keep our database, deliver our emails, take payments and tell us of errors. "
                    "Each receives what it needs for that alone. Your message and your emergency contact go to none"
                    " of them in readable form."
                ),
            ),
            (
                _("How long"),
                _(
                    "A request whose email address is not confirmed is emptied within days. The record of who read "
                    "what is kept for a year. Receipts are kept as long as tax law asks."
                ),
            ),
            (
                _("What you may ask"),
                _(
                    "To see what we keep of you, to have it corrected or erased, to withdraw your consent, and who "
                    "read your message. Write to us. If our answer does not help you, you may complain to the Data "
                    "Protection Board of India."
                ),
            ),
        ),
    ),
}
NOTICES[NoticeVersion.TELEPHONES] = _but(
    NOTICES[NoticeVersion.FIRST],
    NoticeVersion.TELEPHONES,
    _("Who works for us"),
    _(
        "The services that keep our database, deliver our emails, take payments and tell us of errors; and, only if you"
        " ask to be reminded on your telephone, the one that carries those messages. Each receives what it needs for "
        "that alone. Your message and your emergency contact go to none of them in readable form."
    ),
)
IN_FORCE = NOTICES[list(NoticeVersion)[-1]]


def translated(notice: PrivacyNotice) -> PrivacyNotice:
    """The same version in the active language. Its English is what is judged by."""
    items = tuple((gettext(heading), gettext(text)) for heading, text in notice.items)
    return replace(notice, language=get_language() or notice.language, title=gettext(notice.title), items=items)
