"""Who wins when many decide at once, through HTTP on PostgreSQL: one winner, legal ends, money settled, no deadlock."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

import pytest
import requests
from django.conf import settings as django_settings
from django.db import connection  # noqa: F401  # the mark reads it
from django.utils import timezone

from backend.bookings.lifecycle import attempts, cancellation, inbox, timers
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.payments.models import InboxEvent, Payment, Refund
from backend.payments.sandbox import wire
from tests.support import scenarios
from tests.support.races import CROWD, POSTGRES_ONLY, approval, at_once, staff_headers

pytestmark = POSTGRES_ONLY
FLIGHT = 16  # requests at once in the races of two sides


def capture(url: str, payment: Payment) -> int:
    """The gateway's signed webhook: this payment is captured."""
    report = asdict(scenarios.captured(payment))
    event = {"event_id": f"evt_{payment.pk}", "kind": "order_captured", "report": report, "refund": None}
    body = json.dumps(event).encode()
    signature = wire.sign(body, django_settings.SANDBOX_SECRET, time.time())
    headers = {"Content-Type": "application/json", wire.SIGNATURE_HEADER: signature}
    return requests.post(f"{url}/api/hooks/payments/sandbox/", data=body, headers=headers, timeout=60).status_code


def both(pairs: list[tuple[Callable[[], object], Callable[[], object]]]) -> list[object]:
    """Run the two sides of every pair at once; results in order, sides adjacent."""
    return at_once([call for pair in pairs for call in pair], FLIGHT)


@pytest.mark.parametrize("step", [0, 1], ids=["identical", "overlapping"])
def test_of_many_simultaneous_approvals_of_one_slot_one_wins(
    site: str, step: int, record_property: Callable[[str, object], None]
) -> None:
    now = timezone.now()
    headers, who = staff_headers(), scenarios.psychologist()
    start = (now + timedelta(days=3)).replace(second=0, microsecond=0)
    ids = [scenarios.pending(f"v{n}@example.org", now=now).acknowledgement_id for n in range(CROWD)]

    def approve(number: int) -> requests.Response:
        body = approval(who.pk, start + timedelta(minutes=step * (number % 60)))
        return requests.post(
            f"{site}/api/staff/bookings/{ids[number]}/approve/", json=body, headers=headers, timeout=60
        )

    answers = at_once([partial(approve, number) for number in range(CROWD)])
    statuses = Counter(answer.status_code for answer in answers)
    kind = "overlapping" if step else "identical"
    record_property(f"figure: winners of {CROWD} simultaneous approvals of one slot, {kind}", f"{statuses[200]} of 1")
    assert statuses == {200: 1, 409: CROWD - 1}
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "slot_taken"
            assert answer.json()["free_slots"]
    assert SlotClaim.objects.count() == 1


def apply_what_waits() -> None:
    """The door waits for a held row for a moment only; what it kept is the sweep's."""
    for event_id in InboxEvent.objects.filter(applied_at=None).values_list("pk", flat=True):
        inbox.apply_event(event_id, now=timezone.now())


def test_pay_against_expire(site: str) -> None:
    now = timezone.now()
    start = now + timedelta(days=5)
    pairs = []
    for n in range(CROWD):
        booking, payment = scenarios.paying(
            f"v{n}@example.org", now=now, who=scenarios.psychologist(f"Dr. {n}"), at=start
        )
        at = booking.due_at
        pairs.append(
            (lambda p=payment: capture(site, p), lambda p=payment, a=at: attempts.end_idle_attempt(p.pk, now=a))
        )
    assert set(both(pairs)[::2]) == {200}
    apply_what_waits()
    assert set(Booking.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert LedgerEntry.objects.filter(target=State.CONFIRMED).count() == CROWD


def test_late_pay_against_time_out(site: str) -> None:
    now = timezone.now()
    start = now + timedelta(days=5)
    pairs = []
    for n in range(CROWD):
        booking, payment = scenarios.paying(
            f"v{n}@example.org", now=now, who=scenarios.psychologist(f"Dr. {n}"), at=start
        )
        attempts.end_idle_attempt(payment.pk, now=booking.due_at)
        at = scenarios.again(booking).due_at
        pairs.append(
            (lambda p=payment: capture(site, p), lambda b=booking, a=at: timers.time_out_approval(b.pk, now=a))
        )
    assert set(both(pairs)[::2]) == {200}
    apply_what_waits()
    assert set(Booking.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert not Refund.objects.exists()


def test_pay_against_cancel(site: str) -> None:
    now = timezone.now()
    start = now + timedelta(days=5)
    pairs = []
    for n in range(CROWD):
        booking, payment = scenarios.paying(
            f"v{n}@example.org", now=now, who=scenarios.psychologist(f"Dr. {n}"), at=start
        )
        token = asked(booking, now)
        pairs.append((lambda p=payment: capture(site, p), lambda t=token: proved(site, t)))
    results = both(pairs)
    assert set(results) == {200}
    assert set(Booking.objects.values_list("state", flat=True)) == {State.CANCELLED}
    unexpected = Payment.objects.filter(is_unexpected=True).count()
    assert Refund.objects.count() == unexpected
    assert LedgerEntry.objects.filter(target=State.CANCELLED, intent="cancel").count() == CROWD


def asked(booking: Booking, now: datetime) -> str:
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    return scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)


def proved(url: str, token: str) -> int:
    return requests.post(f"{url}/api/bookings/verify-cancellation/", json={"token": token}, timeout=60).status_code


def test_approve_against_cancel(site: str) -> None:
    now = timezone.now()
    headers, start = staff_headers(), now + timedelta(days=5)
    pairs = []
    for n in range(CROWD):
        booking, who = scenarios.pending(f"v{n}@example.org", now=now), scenarios.psychologist(f"Dr. {n}")
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
    for n in range(CROWD):
        who = scenarios.psychologist(f"Dr. {n}")
        held = scenarios.approved(f"held{n}@example.org", now=now, who=who, at=start - timedelta(days=1))
        fresh = scenarios.pending(f"new{n}@example.org", now=now)
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
    assert SlotClaim.objects.filter(blocked_from=start).count() == CROWD
