"""Who wins when many decide at once, through HTTP on PostgreSQL: one winner, legal ends, money settled, no deadlock."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import requests
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import close_old_connections, connection
from django.utils import timezone
from knox.models import AuthToken

from backend.bookings.lifecycle import cancellation, money, timers
from backend.bookings.machine import HOLDS_SLOT, Notice, State
from backend.bookings.models import Booking, LedgerEntry, Purpose, SlotClaim
from backend.payments.models import Payment, PaymentState, Refund
from backend.payments.sandbox import wire
from tests import story
from tests.server import web_server
from tests.test_races import deadlocks

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer; the races need PostgreSQL"),
]

PAIRS = int(os.environ.get("TEST_RACE_PAIRS", "40"))  # of each kind of two-sided race
CROWD = 200  # approvals of one slot at once


@pytest.fixture
def site(settings, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Iterator[str]:
    """A server, and afterwards what must hold whatever happened."""
    settings.PAYMENT_GATEWAY = "sandbox"
    before = deadlocks()
    with web_server(DEBUG="1", SANDBOX_SECRET=django_settings.SANDBOX_SECRET, PAYMENT_GATEWAY="sandbox") as url:
        yield url
    assert deadlocks() == before
    wrong = [booking.pk for booking in Booking.objects.all() if not _is_one_chain(booking)]
    race = request.node.name.removeprefix("test_").replace("_", " ")
    record_property(f"figure: illegal or double transitions: {race}", f"{len(wrong)} of 0")
    assert not wrong
    for payment in Payment.objects.filter(state=PaymentState.CAPTURED):
        assert payment.booking.state == State.CONFIRMED or payment.is_unexpected or payment.booking.closed_at
        if payment.is_unexpected:
            assert Refund.objects.get(payment=payment).amount_paise == payment.captured_paise


def _is_one_chain(booking: Booking) -> bool:
    """Its ledger leads without gaps to its state, and it has a claim exactly if that state holds a slot."""
    rows = list(LedgerEntry.objects.filter(booking=booking).order_by("sequence"))
    return (
        [row.sequence for row in rows] == list(range(1, booking.ledger_sequence + 1))
        and rows[-1].target == booking.state
        and all(after.source == before.target for before, after in pairwise(rows))
        and SlotClaim.objects.filter(booking=booking).exists() == (booking.state in HOLDS_SLOT)
    )


def staff_headers() -> dict[str, str]:
    user = get_user_model().objects.create_superuser("desk", "desk@example.org", "irrelevant-here")
    return {"Authorization": f"Token {AuthToken.objects.create(user)[1]}"}


def approval(who: int, start: datetime) -> dict[str, object]:
    return {"psychologist_id": who, "slot_start": start.isoformat(), "despite_cancellation_request": True}


def capture(url: str, payment: Payment) -> int:
    """The gateway's signed webhook: this payment is captured."""
    report = asdict(story.captured(payment))
    event = {"event_id": f"evt_{payment.pk}", "kind": "order_captured", "report": report, "refund": None}
    body = json.dumps(event).encode()
    signature = wire.sign(body, django_settings.SANDBOX_SECRET, time.time())
    headers = {"Content-Type": "application/json", wire.SIGNATURE_HEADER: signature}
    return requests.post(f"{url}/api/hooks/payments/sandbox/", data=body, headers=headers, timeout=60).status_code


def both(pairs: list[tuple[Callable[[], object], Callable[[], object]]]) -> list[object]:
    """Run the two sides of every pair at once; results in order, sides adjacent."""
    calls = [call for pair in pairs for call in pair]

    def run(call: Callable[[], object]) -> object:
        try:
            return call()
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(16) as many:
        return list(many.map(run, calls))


@pytest.mark.parametrize("step", [0, 1], ids=["identical", "overlapping"])
def test_of_two_hundred_simultaneous_approvals_of_one_slot_one_wins(
    site: str, step: int, record_property: Callable[[str, object], None]
) -> None:
    now = timezone.now()
    headers, who = staff_headers(), story.psychologist()
    start = (now + timedelta(days=3)).replace(second=0, microsecond=0)
    ids = [story.pending(f"v{n}@example.org", now=now).acknowledgement_id for n in range(CROWD)]

    def approve(number: int) -> requests.Response:
        body = approval(who.pk, start + timedelta(minutes=step * (number % 60)))
        return requests.post(
            f"{site}/api/staff/bookings/{ids[number]}/approve/", json=body, headers=headers, timeout=60
        )

    with ThreadPoolExecutor(50) as many:
        answers = list(many.map(approve, range(CROWD)))
    statuses = Counter(answer.status_code for answer in answers)
    kind = "overlapping" if step else "identical"
    record_property(f"figure: winners of {CROWD} simultaneous approvals of one slot, {kind}", f"{statuses[200]} of 1")
    assert statuses == {200: 1, 409: CROWD - 1}
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "slot_taken"
            assert answer.json()["free_slots"]
    assert SlotClaim.objects.count() == 1


def test_pay_against_expire(site: str) -> None:
    now = timezone.now()
    start = now + timedelta(days=5)
    pairs = []
    for n in range(PAIRS):
        booking, payment = story.paying(f"v{n}@example.org", now=now, who=story.psychologist(f"Dr. {n}"), at=start)
        at = booking.due_at
        pairs.append((lambda p=payment: capture(site, p), lambda p=payment, a=at: money.end_idle_attempt(p.pk, now=a)))
    assert set(both(pairs)[::2]) == {200}
    assert set(Booking.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert LedgerEntry.objects.filter(target=State.CONFIRMED).count() == PAIRS


def test_late_pay_against_time_out(site: str) -> None:
    now = timezone.now()
    start = now + timedelta(days=5)
    pairs = []
    for n in range(PAIRS):
        booking, payment = story.paying(f"v{n}@example.org", now=now, who=story.psychologist(f"Dr. {n}"), at=start)
        money.end_idle_attempt(payment.pk, now=booking.due_at)
        at = story.again(booking).due_at
        pairs.append(
            (lambda p=payment: capture(site, p), lambda b=booking, a=at: timers.time_out_approval(b.pk, now=a))
        )
    assert set(both(pairs)[::2]) == {200}
    assert set(Booking.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert not Refund.objects.exists()


def test_pay_against_cancel(site: str) -> None:
    now = timezone.now()
    start = now + timedelta(days=5)
    pairs = []
    for n in range(PAIRS):
        booking, payment = story.paying(f"v{n}@example.org", now=now, who=story.psychologist(f"Dr. {n}"), at=start)
        token = asked(booking, now)
        pairs.append((lambda p=payment: capture(site, p), lambda t=token: proved(site, t)))
    results = both(pairs)
    assert set(results) == {200}
    assert set(Booking.objects.values_list("state", flat=True)) == {State.CANCELLED}
    unexpected = Payment.objects.filter(is_unexpected=True).count()
    assert Refund.objects.count() == unexpected
    assert LedgerEntry.objects.filter(target=State.CANCELLED, intent="cancel").count() == PAIRS


def asked(booking: Booking, now: datetime) -> str:
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    return story.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)


def proved(url: str, token: str) -> int:
    return requests.post(f"{url}/api/bookings/verify-cancellation/", json={"token": token}, timeout=60).status_code


def test_approve_against_cancel(site: str) -> None:
    now = timezone.now()
    headers, start = staff_headers(), now + timedelta(days=5)
    pairs = []
    for n in range(PAIRS):
        booking, who = story.pending(f"v{n}@example.org", now=now), story.psychologist(f"Dr. {n}")
        token = asked(booking, now)
        address = f"{site}/api/staff/bookings/{booking.acknowledgement_id}/approve/"
        body = approval(who.pk, start)
        pairs.append(
            (
                lambda a=address, b=body: requests.post(a, json=b, headers=headers, timeout=60).status_code,
                lambda t=token: proved(site, t),
            )
        )
    results = both(pairs)
    assert set(results[::2]) <= {200, 409}
    assert set(results[1::2]) == {200}
    assert set(Booking.objects.values_list("state", flat=True)) == {State.CANCELLED}
    assert not SlotClaim.objects.exists()


def test_reschedule_against_approve(site: str) -> None:
    now = timezone.now()
    headers, start = staff_headers(), (now + timedelta(days=5)).replace(microsecond=0)
    pairs = []
    for n in range(PAIRS):
        who = story.psychologist(f"Dr. {n}")
        held = story.approved(f"held{n}@example.org", now=now, who=who, at=start - timedelta(days=1))
        fresh = story.pending(f"new{n}@example.org", now=now)
        move = f"{site}/api/staff/bookings/{held.acknowledgement_id}/reschedule/"
        approve = f"{site}/api/staff/bookings/{fresh.acknowledgement_id}/approve/"
        body = approval(who.pk, start)
        pairs.append(
            (
                lambda a=move: (
                    requests.post(a, json={"slot_start": start.isoformat()}, headers=headers, timeout=60).status_code
                ),
                lambda a=approve, b=body: requests.post(a, json=b, headers=headers, timeout=60).status_code,
            )
        )
    results = both(pairs)
    for moved, approved in zip(results[::2], results[1::2], strict=True):
        assert sorted([moved, approved]) == [200, 409]
    assert SlotClaim.objects.filter(blocked_from=start).count() == PAIRS
