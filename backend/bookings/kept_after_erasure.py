"""What an erasure leaves and why, in words: the answer to whoever asked for it, by mail and on its page."""

from __future__ import annotations

from typing import NamedTuple


class Kept(NamedTuple):
    """One thing that stays."""

    what: str
    why: str


KEPT = (
    Kept(
        "What was booked and when, and what was paid and returned, under the number of a booking, without name,"
        " address or anything that was written",
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
    Kept(
        "Copies in backups",
        "they are not rewritten; each is deleted as it expires, and is used only to restore the practice after a loss",
    ),
    Kept(
        "Payments in the books of the bank and of the payment service, and mails in the practice's own mailbox",
        "they are not in this system; please ask the practice about its mailbox",
    ),
    Kept("The address of the last mail, until that mail has left", "else we could not answer"),
)
