"""A refund that the real gateway calls pending: asked after without counting attempts, and left to staff in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from backend.bookings import payment_status, policy
from backend.bookings.lifecycle import refunds
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices import Notice
from backend.desk.booking.actions.refund import refunds_to_settle
from backend.outbox import attempts
from backend.outbox.models import Message, MessageState
from backend.payments.gateway import Order, RefundOrderState, RefundReport
from backend.payments.models import Payment, Refund, RefundState
from backend.payments.sandbox.wire import Behaviour
from tests.support import scenarios
from tests.support.gateway import SECRET, Sandbox, until
from workers import payments, timers

# that a row sleeps is tested on both in tests/outbox/test_messages.py
pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder: Path = tmp_path_factory.mktemp("sandbox")
    sandbox = Sandbox(folder, public_url="http://127.0.0.1:9")  # nobody listens: no webhook reaches us
    yield sandbox
    sandbox.stop()


@pytest.fixture
def refund(sandbox: Sandbox, settings) -> Refund:
    """A booking's money on its way back; the gateway has taken it, and will not say that it is done for a day."""
    settings.PAYMENT_GATEWAY, settings.ALLOW_SANDBOX_PAYMENTS = "sandbox", True
    settings.SANDBOX_URL, settings.SANDBOX_SECRET = sandbox.url, SECRET
    now = timezone.now()
    booking, payment = scenarios.paying(now=now, at=now + timedelta(days=20))
    sandbox.gateway.ensure_order(Order(payment.reference, payment.amount_paise, payment.currency))
    captured = sandbox.gateway.complete_order(payment.reference)
    payments.payments.record_report(captured, actor="gateway:sandbox", now=now)
    sandbox.behave(payment.reference, Behaviour.LATE, seconds=86_400)
    Message.objects.all().delete()  # the story so far
    return refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)


def work() -> Message:
    return Message.objects.get(kind="make_refund")


def drain(at: datetime) -> Message:
    with time_machine.travel(at, tick=False):
        payments.drain()
    return work()


def looks(begun: datetime, *, until_at: datetime) -> list[datetime]:
    """When the gateway is asked, from one look to the next."""
    found, at = [], begun
    while work().state == MessageState.WAITING and at <= until_at:
        found.append(at)
        at = drain(at).next_attempt_at
    return found


def test_a_pending_refund_is_looked_at_again_without_counting_an_attempt(refund: Refund) -> None:
    row = drain(refund.queued_at)
    assert (row.state, row.attempts, row.is_snoozed, row.last_error) == (MessageState.WAITING, 0, True, "")
    assert row.lease_expires_at is None
    assert row.next_attempt_at - refund.queued_at == policy.REFUND_ASKED_AFTER_LEAST


def test_it_is_asked_after_ever_more_seldom_and_never_given_up(refund: Refund) -> None:
    asked = looks(refund.queued_at, until_at=refund.queued_at + 6 * DAY)
    waits = [after - before for before, after in pairwise(asked)]
    assert len(asked) > attempts.MAX_ATTEMPTS
    assert waits == sorted(waits)
    assert waits[-1] == policy.REFUND_ASKED_AFTER_MOST
    assert (work().state, work().attempts) == (MessageState.WAITING, 0)
    assert Refund.objects.get().state == RefundState.QUEUED


def test_what_is_pending_for_its_time_is_left_to_staff_who_may_settle_it(refund: Refund) -> None:
    deadline = refund.queued_at + policy.REFUND_ASKED_FOR
    booking = Booking.objects.get(pk=refund.payment.booking_id)
    assert max(looks(refund.queued_at, until_at=deadline - timedelta(seconds=1))) < deadline
    assert (refunds_to_settle(booking), Refund.objects.get().state) == ([], RefundState.QUEUED)
    assert work().next_attempt_at == deadline
    assert drain(deadline).state == MessageState.DONE
    assert Refund.objects.get().state == RefundState.UNFINISHED
    entry = LedgerEntry.objects.get(intent="refund_unfinished")
    assert (entry.actor, entry.details, entry.source) == ("timer", {"refund": refund.pk}, entry.target)
    assert scenarios.notices_about(booking).count(Notice.STAFF_REFUND_DUE) == 1
    assert refunds_to_settle(booking) == [refund]
    assert payment_status.left_paise(booking) == 0  # it may still be sent: nobody promises the money again
    refunds.record_refund_made(refund.pk, actor="staff:desk", now=deadline)
    assert Refund.objects.get().state == RefundState.DONE
    assert scenarios.notices_about(booking).count(Notice.REFUND_MADE) == 1


@pytest.mark.parametrize("state", [RefundOrderState.DONE, RefundOrderState.REFUSED])
def test_what_the_gateway_says_later_still_settles_it(state: RefundOrderState, refund: Refund) -> None:
    deadline = refund.queued_at + policy.REFUND_ASKED_FOR
    drain(deadline)
    refunds.record_refund(
        refund.pk, RefundReport(refund.reference, "rfd_1", state, refund.amount_paise), now=deadline + DAY
    )
    assert Refund.objects.get().state == state.value
    notices = {RefundOrderState.DONE: (1, 1), RefundOrderState.REFUSED: (0, 2)}[state]
    told = scenarios.notices_about(Booking.objects.get())
    assert (told.count(Notice.REFUND_MADE), told.count(Notice.STAFF_REFUND_DUE)) == notices


def test_asked_again_after_its_time_staff_are_told_once(refund: Refund) -> None:
    deadline = refund.queued_at + policy.REFUND_ASKED_FOR
    drain(deadline)
    Message.objects.filter(kind="make_refund").update(state=MessageState.WAITING)
    assert drain(deadline + DAY).state == MessageState.DONE
    assert LedgerEntry.objects.filter(intent="refund_unfinished").count() == 1


def test_a_refund_that_is_done_by_the_next_look_is_recorded_then(refund: Refund, sandbox: Sandbox) -> None:
    sandbox.behave(Payment.objects.get().reference, Behaviour.LATE, seconds=0.2)
    at = refund.queued_at
    assert drain(at).state == MessageState.WAITING
    until(lambda: drain(work().next_attempt_at).state == MessageState.DONE)
    assert Refund.objects.get().state == RefundState.DONE


def test_no_look_is_made_once_a_webhook_said_that_it_is_done(refund: Refund, settings) -> None:
    row = drain(refund.queued_at)
    report = RefundReport(refund.reference, "rfd_1", RefundOrderState.DONE, refund.amount_paise)
    refunds.record_refund(refund.pk, report, now=refund.queued_at)
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    assert drain(row.next_attempt_at).state == MessageState.DONE


def test_a_clock_set_back_neither_shortens_nor_breaks_the_wait(refund: Refund) -> None:
    at = looks(refund.queued_at, until_at=refund.queued_at + DAY)[-1]
    turn = work().next_attempt_at
    with time_machine.travel(at - timedelta(hours=2), tick=False):
        timers.mend_turns()
    assert work().next_attempt_at == turn
    row = drain(turn)
    assert (row.state, row.attempts) == (MessageState.WAITING, 0)


def test_before_its_own_beginning_it_is_asked_soon(now: datetime) -> None:
    """As a clock set back makes it look."""
    ahead = now + timedelta(hours=2)
    assert policy.refund_asked_again(ahead, now) == now + policy.REFUND_ASKED_AFTER_LEAST
