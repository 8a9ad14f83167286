"""What a program may do with a token, at most: its account's roles say the rest.

A token keeps them as text with blanks between, as OAuth does (RFC 6749, 3.3): `bookings:read payments:write`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

READ, WRITE = "read", "write"


class Area(StrEnum):
    """What the endpoints of the staff API are about; each has a scope to read and one to write."""

    BOOKINGS = "bookings"  # requests, sessions, their history, and what is told of them
    PAYMENTS = "payments"  # who pays, money taken and given back
    CLIENTS = "clients"  # people: their rows, numbers, enquiries, what they ask about their data
    PRACTICE = "practice"  # psychologists, hours, time off, closed days, places, sponsors
    REPORTS = "reports"  # sums
    AUDIT = "audit"  # who read and who did what
    OPERATIONS = "operations"  # queues, timers, dead letters
    WEBHOOKS = "webhooks"  # where events are sent
    ACCOUNT = "account"  # one's own tokens


class Wide(StrEnum):
    """Scopes that name no area."""

    READ = "read"  # of every area
    ACT = "act"  # everything


NARROWEST = f"{Area.BOOKINGS}:{READ}"
ALL = (*(f"{area}:{act}" for area in Area for act in (READ, WRITE)), *Wide)
WORDS = {
    Area.BOOKINGS: "bookings and their history",
    Area.PAYMENTS: "payments and refunds",
    Area.CLIENTS: "clients, their numbers, enquiries and data requests",
    Area.PRACTICE: "psychologists, hours, closed days, places and sponsors",
    Area.REPORTS: "the practice in numbers",
    Area.AUDIT: "who read and did what",
    Area.OPERATIONS: "queues, timers and dead letters",
    Area.WEBHOOKS: "webhooks",
    Area.ACCOUNT: "the account's tokens",
}


def needed(area: Area, *, is_reading: bool) -> str:
    """The scope that opens an endpoint."""
    return f"{area}:{READ if is_reading else WRITE}"


def allows(held: str, scope: str) -> bool:
    """Whether a token with `held` opens what needs `scope`. Who may write may read."""
    names, (area, _, act) = set(held.split()), scope.partition(":")
    if Wide.ACT in names or f"{area}:{WRITE}" in names:
        return True
    return act == READ and bool(names & {scope, Wide.READ})


def joined(names: Iterable[str]) -> str:
    """As a token keeps them. Raises ValueError for a name that nobody knows, and for none."""
    found = set(names)
    if not found or not found <= set(ALL):
        raise ValueError("scopes are: " + " ".join(ALL))
    return " ".join(name for name in ALL if name in found)


def label(name: str) -> str:
    """What people choose by: `Read bookings and their history`."""
    if name in list(Wide):
        return "Read everything that you may read" if name == Wide.READ else "Read and do everything that you may"
    area, _, act = name.partition(":")
    return f"{'Read' if act == READ else 'Read and change'} {WORDS[Area(area)]}"
