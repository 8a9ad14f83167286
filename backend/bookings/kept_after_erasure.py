"""What an erasure leaves and why, in words: the answer to whoever asked for it, by mail and on its page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from backend.bookings import policy
from backend.core import formatting


class Kept(NamedTuple):
    """One thing that stays."""

    what: str
    why: str


def kept(erased_at: datetime | None = None) -> tuple[Kept, ...]:
    """All of it. Once it is done, the day is named on which the last backup is gone."""
    return (*_always(), _backups(erased_at), *_elsewhere())


def _backups(erased_at: datetime | None) -> Kept:
    gone_after = policy.BACKUPS_KEPT + timedelta(days=1)  # expired ones are deleted once a day
    until = _("{span} later").format(span=formatting.span(gone_after))
    if erased_at is not None:
        until = _("by {day}").format(day=formatting.long_day(erased_at + gone_after))
    why = _(
        "they are not rewritten; the last of them is deleted {until}, and until then they are used only to restore "
        "the practice after a loss"
    )
    return Kept(_("Copies in backups that were made before"), why.format(until=until))


def _always() -> tuple[Kept, ...]:
    return (
        Kept(
            _(
                "What was booked and when, and what was paid, returned or left unpaid, under the number of a "
                "booking, without name, address or anything that was written"
            ),
            _("books and receipts have to be kept for the time that tax law asks for"),
        ),
        Kept(
            _("Receipts and credit notes as they were issued, with the name on them"),
            _(
                "tax law asks for them unchanged, for eight years; they say “session” and a date, "
                "and no more of what it was"
            ),
        ),
        Kept(
            _("That somebody of the practice opened the rows of such a booking, and when"),
            _("the law asks for a record of every access for a year; it holds numbers alone"),
        ),
        Kept(
            _("That this was asked for, on which day, and what became of it"),
            _("we have to be able to show that we answered"),
        ),
    )


def _elsewhere() -> tuple[Kept, ...]:
    return (
        Kept(
            _("Payments in the books of the bank and of the payment service, and mails in the practice's own mailbox"),
            _("they are not in this system; please ask the practice about its mailbox"),
        ),
        Kept(_("The address of the last mail, until that mail has left"), _("else we could not answer")),
    )
