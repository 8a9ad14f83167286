"""Paying, against the sandbox gateway's real process: what the page asks, and what the gateway reports."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from queue import Empty
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from backend.api import errors, hooks
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core.errors import Code
from backend.core.formatting import practice_zone
from backend.payments.gateway import Order, OrderState
from backend.payments.models import InboxEvent, Payment, PaymentState, Refund
from backend.payments.sandbox.wire import SIGNATURE_HEADER, Behaviour, sign
from tests.support import api, scenarios
from tests.support.gateway import PATIENCE, SECRET, Receiver, Sandbox
from tests.support.server import free_port

# the intents behind are tested on both in bookings/lifecycle/test_payments.py and test_inbox.py
pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _configured(sandbox: Sandbox, settings: Any) -> None:
    settings.PAYMENT_GATEWAY, settings.ALLOW_SANDBOX_PAYMENTS = "sandbox", True
    settings.SANDBOX_URL, settings.SANDBOX_SECRET = sandbox.url, SECRET


@pytest.fixture
def now() -> datetime:
    """The real time: the sandbox signs by its own clock."""
    return timezone.now()


@pytest.fixture
def booking(now: datetime) -> Booking:
    return scenarios.approved(now=now)


def begin(booking: Booking) -> str:
    """The reference the page is given."""
    body = api.done(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}))
    return str(body["payment_reference"])


def complete(reference: str) -> HttpResponse:
    return api.post(api.COMPLETE, {"payment_reference": reference})


def deliver(body: bytes, signature: str) -> HttpResponse:
    """As the gateway does: no browser, no origin."""
    headers = {SIGNATURE_HEADER.lower().replace("-", "_"): signature}
    return api.request("POST", api.HOOK, data=body, origin="", **headers)


def report(reference: str, **changes: Any) -> bytes:
    """What the gateway would send of this order."""
    order = {
        "gateway_order_id": "o",
        "state": "captured",
        "amount_paise": 150_000,
        "currency": "INR",
        "capture_id": "c",
    }
    event = {"event_id": f"evt_{reference}", "kind": "order_captured", "report": {"reference": reference, **order}}
    return json.dumps({**event, **changes}).encode()


def delivered(receiver: Receiver, reference: str) -> tuple[bytes, str]:
    """The body and signature of the sandbox's own webhook about this order."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            _, body, headers = receiver.received.get(timeout=1)
        except Empty:
            continue
        if reference in body.decode():
            return body, headers[SIGNATURE_HEADER]
    raise AssertionError("no webhook came")


# -- the page ---------------------------------------------------------------------------------------------------------


def test_paid_means_confirmed_however_often_it_is_asked(booking: Booking) -> None:
    reference = begin(booking)
    first, second = (api.done(complete(reference)) for _ in range(2))
    assert first == second
    assert (first["status"], first["acknowledgement_id"]) == (State.CONFIRMED, booking.acknowledgement_id)
    assert scenarios.again(booking).state == State.CONFIRMED
    assert Payment.objects.get().state == PaymentState.CAPTURED
    assert scenarios.notices_about(booking).count(Notice.BOOKING_CONFIRMED) == 1
    shown = api.done(api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}))
    assert (shown["status"], shown["payment_status"]) == (State.CONFIRMED, "paid")
    api.error(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}), 409, "already_paid")


def test_a_declined_payment_is_409_and_another_can_begin(booking: Booking, sandbox: Sandbox) -> None:
    reference = begin(booking)
    sandbox.behave(reference, Behaviour.DECLINE)
    body = api.error(complete(reference), 409, "payment_declined")
    assert "try again" in body["detail"]
    assert scenarios.again(booking).state == State.APPROVED
    assert begin(booking) != reference


def test_not_confirmed_yet_says_not_to_pay_again_and_by_when_we_write(booking: Booking, sandbox: Sandbox) -> None:
    reference = begin(booking)
    sandbox.behave(reference, Behaviour.LATE, seconds=3600)
    detail = api.error(complete(reference), 409, "payment_not_confirmed")["detail"]
    assert detail.startswith("Your bank has not confirmed yet. Do not pay again; we will write to you by ")
    assert detail.endswith(" IST.")
    assert scenarios.again(booking).state == State.PAYMENT_PENDING
    assert begin(booking) == reference


def test_when_we_write_is_said_with_its_day_unless_it_is_today(now: datetime) -> None:
    tomorrow = (now + timedelta(days=1)).astimezone(practice_zone())
    for answer_by, words in (
        (tomorrow, f"by {tomorrow:%A}, {tomorrow.day} {tomorrow:%B %Y, %H:%M} IST."),
        (now, f"by {now.astimezone(practice_zone()):%H:%M} IST."),
        (None, "by the end of the day."),
    ):
        detail = errors.sentence(Code.PAYMENT_NOT_CONFIRMED, {"answer_by": answer_by})
        assert detail.endswith(words)


@pytest.mark.parametrize("behaviour", [Behaviour.UNREACHABLE, Behaviour.SLOW])
def test_a_gateway_that_does_not_answer_is_503_within_five_seconds(
    behaviour: Behaviour, booking: Booking, sandbox: Sandbox
) -> None:
    reference = begin(booking)
    sandbox.gateway.ensure_order(Order(reference, 150_000, "INR"))  # as the payments worker does
    sandbox.behave(reference, behaviour)
    assert "do not pay again" in api.error(complete(reference), 503, "payments_unavailable")["detail"]
    assert scenarios.again(booking).state == State.PAYMENT_PENDING


def test_a_gateway_that_is_not_there_or_not_chosen_is_503(booking: Booking, settings: Any) -> None:
    reference = begin(booking)
    settings.SANDBOX_URL = f"http://127.0.0.1:{free_port()}"
    api.error(complete(reference), 503, "payments_unavailable")
    settings.PAYMENT_GATEWAY = ""
    api.error(complete(reference), 503, "payments_unavailable")
    assert scenarios.again(booking).state == State.PAYMENT_PENDING


def test_an_unknown_payment_is_404() -> None:
    api.error(complete("PAY-00000000000000000000"), 404, "payment_unknown")
    for value in (None, "", 7, [], {}, "x" * 41, "PAY\x00"):
        api.error(api.post(api.COMPLETE, {"payment_reference": value}), 400, "invalid")


def test_a_tab_left_open_pays_nothing_for_a_closed_booking(booking: Booking, sandbox: Sandbox) -> None:
    reference = begin(booking)
    sandbox.gateway.ensure_order(Order(reference, 150_000, "INR"))
    closed = {"state": State.CANCELLED, "reason": "by_staff", "due_at": None, "closed_at": booking.created_at}
    Booking.objects.filter(pk=booking.pk).update(**closed)
    api.error(complete(reference), 409, "state_refuses")
    asked = sandbox.gateway.fetch_order(reference)
    assert asked is not None
    assert asked.state is OrderState.OPEN, "the gateway was asked, and took money for nothing"


def test_money_that_comes_for_a_closed_booking_is_409_and_goes_back(
    booking: Booking, sandbox: Sandbox, receiver: Receiver
) -> None:
    reference = begin(booking)
    sandbox.gateway.ensure_order(Order(reference, 150_000, "INR"))
    closed = {"state": State.CANCELLED, "reason": "by_staff", "due_at": None, "closed_at": booking.created_at}
    Booking.objects.filter(pk=booking.pk).update(**closed)
    sandbox.control("POST", f"/orders/{reference}/capture").raise_for_status()
    api.done(deliver(*delivered(receiver, reference)), to_site=False)
    assert Refund.objects.get().amount_paise == 150_000
    api.error(complete(reference), 409, "payment_returned")


# -- the gateway ------------------------------------------------------------------------------------------------------


def test_the_gateways_own_webhook_confirms_and_repeats_have_one_effect(
    booking: Booking, sandbox: Sandbox, receiver: Receiver
) -> None:
    reference = begin(booking)
    sandbox.gateway.ensure_order(Order(reference, 150_000, "INR"))
    sandbox.control("POST", f"/orders/{reference}/capture").raise_for_status()
    body, signature = delivered(receiver, reference)
    answers = [api.done(deliver(body, signature), to_site=False) for _ in range(3)]
    assert [answer["outcome"] for answer in answers] == ["confirmed", "unchanged", "unchanged"]
    assert InboxEvent.objects.get().payment_reference == reference
    assert scenarios.again(booking).state == State.CONFIRMED
    assert scenarios.notices_about(booking).count(Notice.BOOKING_CONFIRMED) == 1
    api.done(complete(reference))  # the page comes late


def test_a_webhook_that_comes_after_the_page_changes_nothing(
    booking: Booking, sandbox: Sandbox, receiver: Receiver
) -> None:
    reference = begin(booking)
    api.done(complete(reference))
    sequence = scenarios.again(booking).ledger_sequence
    answer = api.done(deliver(*delivered(receiver, reference)), to_site=False)
    assert answer["outcome"] == "unchanged"
    assert scenarios.again(booking).ledger_sequence == sequence
    assert not Refund.objects.exists()


def test_a_body_that_is_not_signed_or_was_tampered_with_changes_nothing(booking: Booking) -> None:
    reference = begin(booking)
    body = report(reference)
    good = sign(body, SECRET, time.time())
    for changed, signature in (
        (body, ""),
        (body, "nonsense"),
        (body, sign(body, "guessed", time.time())),
        (body, sign(body, SECRET, time.time() - 3600)),
        (body.replace(b"150000", b"100000"), good),
        (body + b" ", good),
        (b"", good),
    ):
        api.error(deliver(changed, signature), 400, "signature_invalid", to_site=False)
    assert scenarios.again(booking).state == State.PAYMENT_PENDING
    assert not InboxEvent.objects.exclude(result="refused").exists()


def test_a_signed_body_of_another_shape_is_kept() -> None:
    for body in (b"", b"[]", b"\xff", b"[" * 5000, report("x", report=None), report("x", event_id="")):
        response = deliver(body, sign(body, SECRET, time.time()))
        assert (response.status_code, response.json()["outcome"]) == (200, "quarantined")


def test_a_genuine_webhook_of_an_unknown_payment_is_kept_and_need_not_come_again(booking: Booking) -> None:
    body = report("PAY-NOBODYS")
    answers = [api.done(deliver(body, sign(body, SECRET, time.time())), to_site=False) for _ in range(2)]
    assert [answer["outcome"] for answer in answers] == ["quarantined", "unchanged"]
    assert InboxEvent.objects.get().why == "no payment of ours has this reference"


def test_a_kind_of_event_that_we_do_not_know_is_recorded() -> None:
    body = report("x", kind="something_new")
    for _ in range(2):
        api.done(deliver(body, sign(body, SECRET, time.time())), to_site=False)
    assert InboxEvent.objects.count() == 1


def test_money_of_another_sum_is_given_back(booking: Booking) -> None:
    reference = begin(booking)
    body = report(reference).replace(b"150000", b"149999")
    answer = api.done(deliver(body, sign(body, SECRET, time.time())), to_site=False)
    assert answer["outcome"] == "returned"
    assert Refund.objects.get().amount_paise == 149_999


@pytest.mark.parametrize("name", ["stripe", "nobody", "SANDBOX"])
def test_a_gateway_that_we_do_not_have_is_404(name: str) -> None:
    api.error(api.post(f"/api/hooks/payments/{name}/", {}), 404, "not_found")


def test_where_the_sandbox_may_not_be_used_its_door_is_shut(settings: Any, booking: Booking) -> None:
    reference = begin(booking)
    settings.ALLOW_SANDBOX_PAYMENTS = False
    body = report(reference)
    api.error(deliver(body, sign(body, SECRET, time.time())), 404, "not_found", to_site=False)
    assert scenarios.again(booking).state == State.PAYMENT_PENDING


def test_a_body_beyond_any_event_is_not_read(booking: Booking) -> None:
    body = report(begin(booking)) + b" " * hooks.BODY_MOST
    api.error(deliver(body, sign(body, SECRET, time.time())), 413, "too_large", to_site=False)
    assert not InboxEvent.objects.exists()


def test_what_is_refused_is_counted_once_a_payment_and_only_if_it_names_one_of_ours(
    booking: Booking, time_machine: Any
) -> None:
    reference, began = begin(booking), timezone.now()
    for name in ("PAY-00000000000000000000", reference[:-1], reference.lower()):
        deliver(report(name), sign(report(name), "another", time.time()))
    assert not InboxEvent.objects.exists()
    for minutes in (0, 1, 11):
        time_machine.move_to(began + timedelta(minutes=minutes), tick=False)
        deliver(report(reference), sign(report(reference), "another", time.time()))
    row = InboxEvent.objects.get()
    assert (row.payment_reference, row.result) == (reference, "refused")
    assert row.received_at == began + timedelta(minutes=11)
    assert scenarios.again(booking).state == State.PAYMENT_PENDING
    InboxEvent.objects.all().delete()
    time_machine.move_to(began + timedelta(days=4), tick=False)  # no event of it is due any more
    deliver(report(reference), sign(report(reference), "another", time.time()))
    assert not InboxEvent.objects.exists()
