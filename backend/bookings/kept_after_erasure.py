"""What an erasure leaves and why, in words: the answer to whoever asked for it, by mail and on its page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from backend.bookings import policy
from backend.core import formatting


class Kept(NamedTuple):
    """One thing that stays."""

    what: str
    why: str


def kept(erased_at: datetime | None = None) -> tuple[Kept, ...]:
    """All of it. Once it is done, the day is named on which the last backup is gone."""
    return (*_ALWAYS, _backups(erased_at), *_ELSEWHERE)


def _backups(erased_at: datetime | None) -> Kept:
    gone_after = policy.BACKUPS_KEPT + timedelta(days=1)  # expired ones are deleted once a day
    until = f"{formatting.span(gone_after)} later"
    if erased_at is not None:
        until = f"by {formatting.short_day((erased_at + gone_after).astimezone(formatting.practice_zone()))}"
    return Kept(
        "Copies in backups that were made before",
        f"they are not rewritten; the last of them is deleted {until}, and until then they are used only to restore the"
        " practice after a loss",
    )


_ALWAYS = (
    Kept(
        "What was booked and when, and what was paid, returned or left unpaid, under the number of a booking, without"
        " name, address or anything that was written",
        "books and receipts have to be kept for the time that tax law asks for",
    ),
    Kept(
        "Receipts and credit notes as they were issued, with the name on them",
        "tax law asks for them unchanged, for eight years; they say *session* and a date, and no more of what it was",
    ),
    Kept(
        "That somebody of the practice opened the rows of such a booking, and when",
        "the law asks for a record of every access for a year; it holds numbers alone",
    ),
    Kept("That this was asked for, on which day, and what became of it", "we have to be able to show that we answered"),
)
_ELSEWHERE = (
    Kept(
        "Payments in the books of the bank and of the payment service, and mails in the practice's own mailbox",
        "they are not in this system; please ask the practice about its mailbox",
    ),
    Kept("The address of the last mail, until that mail has left", "else we could not answer"),
)
