"""Every intent from every state: what happens, as a table in docs/intents.md that this test writes and checks.

`TEST_WRITE_DOCS=1` writes it; otherwise the test compares. On PostgreSQL the model calls every intent,
staff's API every act in every state, and each intent has tests of its own.
"""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from django.db import transaction

from backend.bookings.intents import Intent
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.core.errors import Refused
from tests.support import scenarios
from tests.support.every_intent import INTENTS
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
DOCUMENT = ROOT / "docs" / "intents.md"
HEAD = """# Every intent from every state

Written and checked by `tests/bookings/lifecycle/test_intents_table.py` against the real intents;
`TEST_WRITE_DOCS=1` renews it. An arrow is a transition (after `∅` of another booking, born by it), `noted` a ledger row
without one, `–` nothing at all (the intent came too late, twice, or for another state), and a word in code style the
refusal. Rules that depend on time, money or slots are in the tests of each intent.

"""
LEDGER = """
## What the ledger calls them

`backend/bookings/intents.py`, in life-cycle order, and which of the above wrote such a row.

| Row | Says | Written by |
|---|---|---|
"""


def outcomes(state: State, now: datetime, writers: dict[str, set[str]]) -> list[str]:
    """What each intent does from this state, none seeing what another did; `writers` learns by which rows."""
    with transaction.atomic():
        booking = scenarios.IN_STATE[state](now=now)
        found = [outcome_of(intent, booking, now, writers) for intent in INTENTS]
        transaction.set_rollback(True)
    return found


def outcome_of(intent: str, made: Booking, now: datetime, writers: dict[str, set[str]]) -> str:
    """What it does to this booking, then undone."""
    with transaction.atomic():
        booking = scenarios.again(made)
        state = booking.state
        last = LedgerEntry.objects.latest("pk").pk
        rows, bookings = LedgerEntry.objects.filter(booking=booking).count(), Booking.objects.count()
        try:
            INTENTS[intent](booking, now)
        except Refused as refused:
            outcome = f"`{refused.code}`"
        else:
            after = scenarios.again(booking)
            noted = LedgerEntry.objects.filter(booking=booking).count() > rows
            made_another = Booking.objects.count() > bookings
            another = Booking.objects.latest("pk").state
            stays = f"∅ → {another}" if made_another else "noted" if noted else "–"
            outcome = f"→ {after.state}" if after.state != state else stays
            for row in LedgerEntry.objects.filter(pk__gt=last).exclude(actor="test"):  # a factory's
                writers[row.intent].add(intent)
        transaction.set_rollback(True)
    return outcome


@pytest.mark.django_db
def test_every_intent_from_every_state_does_what_the_table_says(now: datetime, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    lines = ["| Intent | " + " | ".join(State) + " |", "|---" * (len(State) + 1) + "|"]
    writers: dict[str, set[str]] = {row.value: set() for row in Intent}  # a word that is no member is a KeyError
    columns = [outcomes(state, now, writers) for state in State]
    lines += [f"| {intent} | " + " | ".join(cells) + " |" for intent, *cells in zip(INTENTS, *columns, strict=True)]
    assert [row for row, by in writers.items() if not by] == []
    lines.append(LEDGER.rstrip())
    for row in Intent:
        by = dict.fromkeys(name.partition(",")[0] for name in INTENTS if name in writers[row])
        lines.append(f"| `{row}` | {row.label} | {', '.join(by) or '–'} |")
    table = HEAD + "\n".join(lines) + "\n"
    if os.environ.get("TEST_WRITE_DOCS"):
        DOCUMENT.write_text(table)
    assert DOCUMENT.read_text() == table
