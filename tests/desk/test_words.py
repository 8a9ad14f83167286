"""What staff read instead of stored words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backend.bookings import actors
from backend.bookings.intents import Intent
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.models import LedgerEntry, Outcome
from backend.bookings.notices import Notice
from backend.desk import words
from tests.support import scenarios

pytestmark = pytest.mark.sqlite_only
INSTANT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def told(intent: Intent, details: dict[str, object]) -> str:
    return words.ledger_words([LedgerEntry(sequence=1, intent=intent, details=details)])[1]


@pytest.mark.django_db
def test_a_ledger_row_names_people_money_and_times() -> None:
    meera, arjun = scenarios.psychologist("Dr. Meera"), scenarios.psychologist("Dr. Arjun", email="a@example.org")
    approved = {"psychologist": meera.pk, "amount_paise": 150_000}
    assert told(Intent.APPROVE, approved) == "Dr. Meera, ₹1,500.00"
    moved = {"from": INSTANT.isoformat(), "to": INSTANT.isoformat()}
    assert told(Intent.RESCHEDULE, {**moved, "from_psychologist": meera.pk, "to_psychologist": arjun.pk}) == (
        "from Tue 24 Nov 2026, 17:30 IST, to Tue 24 Nov 2026, 17:30 IST, from Dr. Meera, to Dr. Arjun"
    )
    assert told(Intent.RECORD_OUTCOME, {"from": "unrecorded", "to": "practice_absent"}) == (
        f"from Not recorded, to {Outcome.PRACTICE_ABSENT.label}"
    )


@pytest.mark.django_db
def test_a_row_that_cannot_be_read_hides_none_of_the_others() -> None:
    assert told(Intent.APPROVE, {"psychologist": None}) == ""


def test_every_mail_and_every_order_to_the_gateway_has_a_name() -> None:
    for kind in (*Notice, *GatewayWork):
        name = words.message_name(kind)
        assert name
        assert name == name.lower()  # Django's own label for one without a name is in capitals
    assert words.message_name("a_kind_of_long_ago") == "a kind of long ago"


@pytest.mark.parametrize(
    ("actor", "read"),
    [
        ("staff:meera", "meera"), ("visitor", "visitor"), ("timer", "by itself"), ("system", "by itself"),
        ("gateway", "payment gateway"), ("gateway:sandbox", "payment gateway sandbox"),
    ],
)  # fmt: skip
def test_an_actor_is_told_without_its_prefix(actor: str, read: str) -> None:
    assert actors.describe(actor) == read
