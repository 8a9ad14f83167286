"""Who did it, as ledger, refunds, disclosures and operator actions name them: text, because it outlives the account."""

from __future__ import annotations

from typing import Protocol

from django.db.models import Q

from backend.bookings.models import LedgerEntry

LONGEST = LedgerEntry._meta.get_field("actor").max_length or 0  # characters; a user name may be longer

VISITOR = "visitor"
STRANGER = "stranger"  # at the door of staff, and nothing is proved
TIMER = "timer"  # a deadline that passed
SYSTEM = "system"  # what follows by itself, whoever began it
GATEWAY = "gateway"  # one whose name is not at hand
_STAFF = "staff:"

IS_STAFF = Q(actor__startswith=_STAFF)  # asked of rows


class Account(Protocol):
    """Django's users, those who are not logged in included."""

    def get_username(self) -> str: ...


def for_account(account: Account) -> str:
    """`staff:desk`."""
    return staff(account.get_username())


def staff(username: str) -> str:
    """`staff:desk`; a name too long for the column is cut here, and only here."""
    return f"{_STAFF}{username}"[:LONGEST]


def parse_staff(typed: str) -> str | None:
    """The same as somebody typed it, `staff:desk`; None for what is no such name."""
    username = typed.removeprefix(_STAFF)
    is_name = typed.startswith(_STAFF) and username and not any(sign.isspace() for sign in username)
    return staff(username) if is_name else None


def describe(actor: str) -> str:
    """As staff read it: the account's name, `payment gateway sandbox`, `by itself` for a deadline."""
    if actor.startswith(_STAFF):
        return actor.removeprefix(_STAFF)
    if actor == GATEWAY or actor.startswith(f"{GATEWAY}:"):
        return f"payment {actor.replace(':', ' ')}"
    return "by itself" if actor in (TIMER, SYSTEM) else actor


def gateway(name: str) -> str:
    """`gateway:sandbox`."""
    return f"{GATEWAY}:{name}"[:LONGEST]
