"""Two tabs, React's strict mode, a retry: the same request many times at once has one effect and one answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import requests
from django.conf import settings
from django.utils import timezone

from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.payments.models import InboxEvent, Payment
from backend.payments.sandbox.wire import SIGNATURE_HEADER, sign
from tests.support import api, scenarios

pytestmark = [
    pytest.mark.postgres_only,
    pytest.mark.django_db(transaction=True),
]

MANY = 12


@pytest.fixture
def now(settings) -> datetime:
    settings.PAYMENT_GATEWAY = "sandbox"
    return timezone.now()


def at_once(ask: Callable[[], requests.Response]) -> set[tuple[int, str]]:
    """The different answers to the same request, sent many times at once."""
    with ThreadPoolExecutor(MANY) as many:
        answers = [future.result() for future in [many.submit(ask) for _ in range(MANY)]]
    return {(answer.status_code, answer.text) for answer in answers}


def test_a_draft(server: str, now: datetime) -> None:
    answers = at_once(lambda: requests.post(server + api.DRAFT, json=api.form(now), timeout=30))
    assert [status for status, _ in answers] == [201]
    assert scenarios.notices_about(Booking.objects.get()) == [Notice.DRAFT_SUBMITTED, Notice.DRAFT_STILL_UNVERIFIED]


def test_the_proof_of_an_address(server: str, now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    query = {"token": scenarios.token_of(booking)}
    headers = {"Origin": "http://localhost:3000"}
    answers = at_once(lambda: requests.get(server + api.VERIFY, params=query, headers=headers, timeout=30))
    assert [status for status, _ in answers] == [200], answers
    assert scenarios.again(booking).ledger_sequence == 2
    assert scenarios.notices_about(booking).count(Notice.BOOKING_RECEIVED) == 1


def test_the_beginning_of_a_payment(server: str, now: datetime) -> None:
    body = {"acknowledgement_id": scenarios.approved(now=now).acknowledgement_id}
    answers = at_once(lambda: requests.post(server + api.INITIATE, json=body, timeout=30))
    assert [status for status, _ in answers] == [200], answers
    assert Payment.objects.count() == 1


def test_a_webhook(server: str, now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    order = {
        "gateway_order_id": "o",
        "state": "captured",
        "amount_paise": 150_000,
        "currency": "INR",
        "capture_id": "c",
    }
    event = {"event_id": "evt_1", "kind": "order_captured", "report": {"reference": payment.reference, **order}}
    body = json.dumps(event).encode()
    headers = {SIGNATURE_HEADER: sign(body, settings.SANDBOX_SECRET, time.time())}
    answers = at_once(lambda: requests.post(server + api.HOOK, data=body, headers=headers, timeout=30))
    assert {status for status, _ in answers} == {200}
    assert sorted(json.loads(text)["outcome"] for _, text in answers) == ["confirmed", "unchanged"]
    assert InboxEvent.objects.count() == 1
    assert scenarios.again(booking).state == State.CONFIRMED
    assert scenarios.notices_about(booking).count(Notice.BOOKING_CONFIRMED) == 1
