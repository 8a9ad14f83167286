"""A deployment in mid-work: every row in hand is settled or handed back, and nothing is done twice."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from backend.bookings.lifecycle.refunds import RefundReason, queue_refund
from backend.bookings.machine import State
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.gateway import Order
from backend.payments.models import Refund, RefundState
from backend.payments.sandbox.wire import Behaviour
from tests.support import mail_sink, scenarios
from tests.support.factories import make_booking, make_payment
from tests.support.gateway import SECRET, Sandbox, until
from tests.support.processes import Process, stack
from workers import mail, payments

pytestmark = [
    pytest.mark.postgres_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROWS = 60  # more than one process of the pool claims
FEW = 8  # rows done after a stop: the two in hand, and hardly more before the word has got round


def term(worker: Process) -> None:
    worker.send(signal.SIGTERM)


def term_twice(worker: Process) -> None:
    worker.send(signal.SIGTERM)
    worker.says("Warm shutdown")
    worker.send(signal.SIGTERM)


def term_to_the_group(worker: Process) -> None:
    """As systemd stops a service, unless told otherwise."""
    worker.send(signal.SIGTERM, to_group=True)


# a stack for each: in every run the one way that our own supervisor has, with `make chaos` the others
WAYS = [term, *(pytest.param(way, marks=pytest.mark.stacks) for way in (term_twice, term_to_the_group))]


@dataclass(frozen=True)
class Rows:
    """How a queue stands: the ids that are due or were, how many are settled, owed, and owed but not given back."""

    ids: frozenset[int]
    done: int
    owed: int
    leased: int
    begun: int


def rows(queue: Queue) -> Rows:
    """The rows of `queue` whose time has come."""
    everything = Message.objects.filter(queue=queue, not_before__lte=timezone.now())
    owed = everything.filter(state=MessageState.WAITING)
    return Rows(
        ids=frozenset(everything.values_list("pk", flat=True)),
        done=everything.filter(state=MessageState.DONE).count(),
        owed=owed.count(),
        leased=owed.exclude(lease_expires_at=None).count(),
        begun=owed.filter(attempts__gt=0).count(),
    )


def drain_all(queue: Queue, drain: Callable[[], None]) -> None:
    """What the next release's worker does, in this process."""

    def nothing_is_owed() -> bool:
        drain()
        return rows(queue).owed == 0

    until(nothing_is_owed)


@pytest.mark.parametrize("way", WAYS)
def test_a_mail_worker_told_to_stop_settles_what_it_is_sending_and_hands_back_the_rest(
    way: Callable[[Process], None], settings
) -> None:
    for number in range(ROWS):
        scenarios.submitted(f"visitor{number}@example.org", now=timezone.now())
    before = rows(Queue.MAIL)
    with mail_sink.listening() as sink, stack(**sink.environment()) as running:
        worker = running.worker("mail")
        sink.stalled.set()
        running.wake("mail", times=2)
        until(lambda: sink.in_hand == 2, else_show=worker.log)  # both processes of the pool wait for their provider
        way(worker)
        worker.says("Warm shutdown")
        sink.stalled.clear()
        assert worker.ended() == 0
        between = rows(Queue.MAIL)
        assert between.ids == before.ids
        assert (between.leased, between.begun) == (0, 0), worker.log()
        assert between.done == len(sink.accepted) == ROWS - between.owed
        assert between.done <= FEW

        sink.serve(settings)
        drain_all(Queue.MAIL, mail.drain)
        mail._outlet.close()
    assert len(sink.accepted) == ROWS
    assert set(sink.times_sent().values()) == {1}


def test_a_payments_worker_told_to_stop_settles_the_refund_it_is_making_and_hands_back_the_rest(
    settings, tmp_path: Path
) -> None:
    sandbox = Sandbox(tmp_path, "http://127.0.0.1:1")
    try:
        for number in range(ROWS):
            owe_refund(number, sandbox)
        before = rows(Queue.PAYMENTS)
        sandbox.control("PUT", "/behaviour", behaviour=Behaviour.SLOW, seconds=1).raise_for_status()
        gateway = {"PAYMENT_GATEWAY": "sandbox", "SANDBOX_URL": sandbox.url, "SANDBOX_SECRET": SECRET}
        with stack(**gateway) as running:
            worker = running.worker("payments")
            running.wake("payments", times=2)
            until(lambda: rows(Queue.PAYMENTS).begun == 2, else_show=worker.log)
            term(worker)
            assert worker.ended() == 0
        between = rows(Queue.PAYMENTS)
        assert between.ids == before.ids
        assert (between.leased, between.begun) == (0, 0), worker.log()
        assert between.done == Refund.objects.filter(state=RefundState.DONE).count() == ROWS - between.owed
        assert 0 < between.done <= FEW

        sandbox.control("PUT", "/behaviour", behaviour=Behaviour.CAPTURE).raise_for_status()
        settings.ALLOW_SANDBOX_PAYMENTS = True
        settings.SANDBOX_URL, settings.SANDBOX_SECRET = sandbox.url, SECRET
        drain_all(Queue.PAYMENTS, payments.drain)
    finally:
        sandbox.stop()
    assert Refund.objects.filter(state=RefundState.DONE).count() == ROWS
    assert set(Message.objects.filter(queue=Queue.PAYMENTS).values_list("attempts", flat=True)) == {1}


def owe_refund(number: int, sandbox: Sandbox) -> None:
    """A paid session whose money is to go back."""
    now = timezone.now()
    booking = make_booking(State.CONFIRMED, now=now, email=f"visitor{number}@example.org")
    payment = make_payment(booking, now=now)
    sandbox.gateway.ensure_order(Order(payment.reference, payment.amount_paise, payment.currency))
    sandbox.gateway.complete_order(payment.reference)
    with transaction.atomic():
        queue_refund(payment, payment.captured_paise, reason=RefundReason.GRANTED, actor="staff:desk", now=now)
