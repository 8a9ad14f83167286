"""How long what is about people is kept: one table, which every purge, its dry run and docs/privacy.md read.

It names tables as migrations do, so that it stands below all of them. What is due is asked here alone: a dry run counts
the rows that the timer would take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from backend.core import environment as env
from backend.core.compiled_queries import Ago, any_rows, compiled

AT_ONCE = 500  # rows of one transaction


class Kind(StrEnum):
    """What a timer ends."""

    DRAFTS = "drafts"
    MAILS = "mails"
    ANSWERS = "answers"
    LINKS = "links"
    ACCESS = "access"
    SESSIONS = "sessions"
    TOKENS = "tokens"
    ENROLMENTS = "enrolments"
    COUNTS = "counts"
    MAILBOXES = "mailboxes"
    RUNS = "runs"
    REPEATS = "repeats"
    DELIVERIES = "deliveries"
    CONSENTS = "consents"


@dataclass(frozen=True)
class Rule:
    """Rows of `table` that are `only` go when `kept` has passed since the instant in the column `since`."""

    what: str
    table: str
    since: str
    kept: timedelta
    timer: str
    variable: str = ""  # of `kept`
    then: str = "deleted"
    only: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Unended:
    """No timer ends these; `until` says what does."""

    what: str
    tables: tuple[str, ...]
    until: str


RULES: dict[Kind, Rule] = {
    Kind.DRAFTS: Rule(
        "a request that was closed because its address was never proved, and its client",
        "bookings.Booking",
        "closed_at",
        env.duration(
            "DRAFT_PURGE_AFTER",
            "how long a lapsed draft keeps its personal data, so that its last mail can leave",
            default="1h",
        ),
        "purge_drafts",
        variable="DRAFT_PURGE_AFTER",
        then="emptied; the row stays for the ledger",
        only={"state": "CANCELLED", "verified_at": None, "purged_at": None},
    ),
    Kind.MAILS: Rule(
        "address and text of a mail that is settled",
        "outbox.Message",
        "settled_at",
        env.duration("MESSAGES_BLANKED_AFTER", "settled messages lose address and text after this", default="30d"),
        "blank_messages",
        variable="MESSAGES_BLANKED_AFTER",
        then="emptied",
        only={"blanked_at": None},
    ),
    Kind.ANSWERS: Rule(
        "the same of the answer to an erasure",
        "outbox.Message",
        "settled_at",
        timedelta(0),
        "blank_messages",
        then="emptied",
        only={"blanked_at": None, "kind": "erasure_done"},
    ),
    Kind.LINKS: Rule(
        "links of mails, since they expired",
        "bookings.Link",
        "expires_at",
        env.duration("LINKS_PURGED_AFTER", "used and expired links are deleted after this", default="30d"),
        "purge_links",
        variable="LINKS_PURGED_AFTER",
    ),
    Kind.ACCESS: Rule(
        "who read what; within a year the database lets nothing go",
        "audit.AccessRecord",
        "at",
        env.duration(
            "ACCESS_RECORDS_KEPT",
            "how long it is kept who read what; within a year the database lets nothing of it go",
            default="366d",
            least=timedelta(days=366),
        ),
        "expire_access_log",
        variable="ACCESS_RECORDS_KEPT",
    ),
    Kind.SESSIONS: Rule(
        "sessions of staff, since they ended", "accounts.Session", "expire_date", timedelta(0), "forget_ended"
    ),
    Kind.TOKENS: Rule(
        "tokens of the staff API, since they ended", "knox.AuthToken", "expiry", timedelta(0), "forget_ended"
    ),
    Kind.ENROLMENTS: Rule(
        "links that set up a second factor, since they ended",
        "accounts.EnrolmentLink",
        "expires_at",
        timedelta(0),
        "forget_ended",
    ),
    Kind.COUNTS: Rule(  # long enough for whoever looks into an attack
        "networks of strangers, counted by the hour", "api.LookupMiss", "hour", timedelta(days=1), "forget_ended"
    ),
    Kind.MAILBOXES: Rule(  # an address that is used again may have another owner
        "mailboxes that mail does not reach, unless corrected before",
        "outbox.ClosedMailbox",
        "since",
        timedelta(days=180),
        "forget_ended",
    ),
    Kind.RUNS: Rule(  # longer than anybody looks back for the cause of a complaint
        "runs of timers, with whoever asked for one", "ops.TimerRun", "started_at", timedelta(days=14), "forget_runs"
    ),
    Kind.REPEATS: Rule(  # as long as a program that lost its connection tries again
        "answers kept for a request that comes again, since it came first",
        "bookings.KeptAnswer",
        "reserved_at",
        timedelta(days=1),
        "forget_ended",
    ),
    Kind.DELIVERIES: Rule(  # as long as a receiver may ask what became of an event
        "attempts to deliver webhooks: instant, status, duration",
        "webhooks.Delivery",
        "at",
        timedelta(days=30),
        "forget_ended",
    ),
    Kind.CONSENTS: Rule(  # as long as somebody may ask by what right they were written to
        "consents to be written to by telephone, since they were withdrawn",
        "channels.Consent",
        "withdrawn_at",
        timedelta(days=366),
        "forget_ended",
        only={"withdrawn_at__isnull": False},
    ),
}

UNENDED: tuple[Unended, ...] = (
    Unended(
        "requests that were proved, and their clients with their history",
        ("bookings.Booking", "people.Client", "people.HistoricalClient"),
        "the person's wish to be erased; else no timer, see the decisions below",
    ),
    Unended(
        "rooms of online sessions, by names that say nothing",
        ("rooms.Room",),
        "the session's move, cancellation or end",
    ),
    Unended("what people asked about their data", ("bookings.DataRequest",), "no end: an erasure leaves it nameless"),
    Unended(
        "receipts and credit notes with the name on them",
        ("payments.Receipt", "payments.ReceiptFile"),
        "an erasure leaves them for the term of tax law, eight years at most; no timer, see the decisions below",
    ),
    Unended("messages of the contact form", ("people.Enquiry",), "as above, where their address stands in it"),
    Unended(
        "psychologists, hours and time off, with their history",
        ("people.Psychologist", "people.HistoricalPsychologist", "people.TimeOff", "people.HistoricalTimeOff"),
        "the practice removes whoever left",
    ),
    Unended("sponsors, with their history", ("people.Corporate", "people.HistoricalCorporate"), "their contract's end"),
    Unended(
        "how mail leaves, and what a provider last said",
        ("outbox.OutletState",),
        "each failure takes the last one's place",
    ),
    Unended("what operators did, and why", ("ops.Act", "outbox.PausedQueue"), "no timer; it is about staff"),
    Unended(
        "where webhooks are sent to, as staff named it",
        ("webhooks.Subscription", "webhooks.Secret"),
        "no timer: staff end a subscription, and delete it",
    ),
    Unended("second factors of staff", ("accounts.Authenticator",), "the account's end, or their reset"),
)


def due(kind: Kind, by: datetime | Any) -> QuerySet[Any]:
    """Rows whose time began at this instant or before; an expression of the database will do."""
    rule = RULES[kind]
    rows: QuerySet[Any] = apps.get_model(rule.table)._base_manager.filter(**rule.only)
    return rows.filter(**{f"{rule.since}__lte": by}).order_by(rule.since)


def stale(kind: Kind, *, now: datetime) -> QuerySet[Any]:
    """What was kept long enough, the oldest first."""
    return due(kind, now - RULES[kind].kept)


def delete(kind: Kind, *, now: datetime) -> int:
    """A batch of what is stale goes. Returns how many rows, without those that go with them."""
    rows = stale(kind, now=now)
    ids = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    rows.model._base_manager.filter(pk__in=ids).delete()
    return len(ids)


def of_timer(name: str) -> Iterator[Kind]:
    """What this timer ends."""
    return (kind for kind, rule in RULES.items() if rule.timer == name)


def stale_of_timer(name: str, *, now: datetime) -> list[Kind]:
    """Of what this timer ends, what has any row that was kept long enough: one question, mostly for nothing."""
    kinds = list(of_timer(name))
    found = any_rows(*map(_look, kinds), now=now)
    return [kind for kind, is_stale in zip(kinds, found, strict=True) if is_stale]


@cache
def _look(kind: Kind) -> compiled:
    return compiled(lambda: due(kind, Ago(lambda: RULES[kind].kept)).values("pk")[:1])
