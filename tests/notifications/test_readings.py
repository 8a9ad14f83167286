"""What is read once for many mails: all that they say, and by what it is known that it is so still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import pytest
from django.db.models import F

from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.notifications import delivery, readings
from backend.notifications.receipts import WAITS
from backend.notifications.rules import RULES, is_of_its_bookings_alone
from backend.outbox import bundles
from backend.people.models import Psychologist
from tests.support import mails, scenarios
from tests.support.scenes import SCENES

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]
ALONE = [notice for notice in RULES if is_of_its_bookings_alone(notice) and notice not in WAITS]


@pytest.mark.parametrize("notice", ALONE)
def test_what_is_known_by_the_bookings_alone_asks_for_nothing_else(
    notice: Notice, now: datetime, django_assert_num_queries
) -> None:
    message = mails.enqueued(notice, mails.true_booking(notice, now=now), now=now)
    reading = readings.read([message])
    with django_assert_num_queries(0):
        assert delivery.held_until(message, now=now, reading=reading) is None
        assert delivery.prepare(message, now=now, reading=reading) is not None
    with django_assert_num_queries(1):
        assert reading.is_so_still(message)


def test_only_a_few_notices_are_known_by_more() -> None:
    more = {notice for notice in RULES if not is_of_its_bookings_alone(notice)}
    assert more == {
        Notice.DRAFT_LAPSED,
        Notice.BOOKING_UNANSWERED,
        Notice.BOOKING_REJECTED,
        Notice.CANCELLATION_REQUESTED,
        Notice.PSYCHOLOGIST_SESSION_CANCELLED,
        Notice.PSYCHOLOGIST_SERIES_CANCELLED,
    }


def test_many_mails_cost_as_many_queries_as_one(now: datetime, django_assert_num_queries) -> None:
    sent = []
    for n in range(4):
        booking = scenarios.confirmed(f"v{n}@example.org", now=now, at=scenarios.slot_tomorrow(now, hour=10 + n))
        given = {"uuid": uuid4(), "dedupe_key": f"test:{n}", "ledger_sequence": booking.ledger_sequence}
        sent.append(mails.enqueued(Notice.SESSION_APPROACHING, booking, now=now, **given))
    # parts, versions, bookings with their psychologists, ledgers, payments, refunds, alternatives that were taken
    with django_assert_num_queries(7):
        reading = readings.read(sent)
        told = [delivery.prepare(message, now=now, reading=reading) for message in sent]
    assert told == [delivery.prepare(message, now=now) for message in sent]


# every intent is asked in test_promises.py
BESIDE_THE_LEDGER: dict[str, Callable[[Booking], object]] = {
    "a correction": lambda booking: Booking.objects.filter(pk=booking.pk).update(full_name="Asha R"),
    "an erasure": lambda booking: Booking.objects.filter(pk=booking.pk).update(purged_at=F("created_at")),
    "a new name": lambda booking: Psychologist.objects.filter(pk=booking.psychologist_id).update(full_name="Dr. X"),
}


@pytest.mark.parametrize("what", BESIDE_THE_LEDGER)
def test_what_has_no_ledger_row_is_seen_too(what: str, now: datetime) -> None:
    booking = mails.true_booking(Notice.SESSION_APPROACHING, now=now)
    message = mails.enqueued(Notice.SESSION_APPROACHING, booking, now=now)
    reading = readings.read([message])
    assert reading.is_so_still(message)
    BESIDE_THE_LEDGER[what](booking)
    assert not reading.is_so_still(message)


def test_of_several_bookings_each_is_looked_at(now: datetime) -> None:
    scene = next(scene for scene in SCENES.values() if scene.notice == Notice.SERIES_BOOKED)
    message = scene.message(scene.make(now))
    reading = readings.read([message])
    *_, last = bundles.booking_ids(message)
    Booking.objects.filter(pk=last).update(ledger_sequence=F("ledger_sequence") + 1)
    assert not reading.is_so_still(message)
