"""A round of comparison: its pieces, where it goes on, what stops it and what does not, and its command."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import NoReturn
from unittest.mock import Mock

import pytest
import time_machine
from django.core.management import call_command
from django.db import DatabaseError

from backend.bookings.lifecycle import reconciliation
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.core.errors import Code, OutsideFailure, Permanent, Refused, Transient, Unreadable
from backend.ops import reconciler
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.payments.models import InboxEvent, Payment, Reconciliation
from tests.support import scenarios
from tests.support.gateway_books import LATER, Books, kept, look, paid
from workers import payments, timers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments"), pytest.mark.sqlite_only]


def test_a_round_goes_on_where_it_stopped_and_begins_anew_after_an_outage(now: datetime, books: Books) -> None:
    _, payment = paid(books, now)
    books.captures += [replace(books.captures[0], reference="", capture_id=f"cap_shop_{number}") for number in (1, 2)]
    answers = look(now + LATER)
    assert [type(each) for each in answers[:-1]] == [Snooze] * 4, "three parts of the list, and what we ask after"
    assert books.asked == ["page ", "page 1", "page 2", f"refunds {payment.reference}"]
    books.trouble = Transient("down")
    [waits] = look(now + 2 * LATER)
    assert waits == Snooze(now + 2 * LATER + payments.COMPARED_AGAIN_AFTER)
    message = Message.objects.latest("pk")
    with time_machine.travel(now + 2 * LATER + payments.COMPARED_WITHIN, tick=False):
        timers.reconcile()
        assert Message.objects.filter(kind=GatewayWork.RECONCILE).count() == 2, "one at a time"
        assert payments.perform(message) is MessageState.DONE
        assert payments.perform(message) is MessageState.OBSOLETE
    assert Reconciliation.objects.get().completed_at == now + LATER
    books.trouble = None
    assert look(now + 3 * LATER)[-1] is MessageState.DONE
    assert Reconciliation.objects.get().completed_at == now + 3 * LATER


def test_a_piece_ends_when_its_time_is_spent(now: datetime, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    booking, _ = scenarios.paying(now=now)
    at = scenarios.slot_tomorrow(now, 9)
    scenarios.paying("ravi@example.com", now=now, who=booking.psychologist, at=at)
    pieces = len(look(now + LATER))
    monkeypatch.setattr(reconciler, "BUDGET_SECONDS", -1.0)
    assert len(look(now + 2 * LATER)) == pieces + 1, "each of the two is asked for by itself"


def test_a_key_that_is_refused_ends_the_round_without_a_dead_letter(now: datetime, books: Books) -> None:
    scenarios.paying(now=now)
    books.trouble = Permanent("unauthorised")
    assert look(now + LATER) == [MessageState.DONE]
    assert Reconciliation.objects.get().completed_at is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DatabaseError("held"), ""),
        (Refused(Code.BOOKING_UNKNOWN), ""),
        (Permanent("another refund"), "cannot be compared"),
        (Unreadable("another order"), "cannot be compared"),
    ],
)
def test_one_that_cannot_be_put_right_keeps_nobody_from_the_others(
    error: Exception, told: str, now: datetime, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, payment = scenarios.paying(now=now)
    books.capture(payment)
    monkeypatch.setattr(reconciliation.payments, "record_report", Mock(side_effect=error))
    books.captures.append(replace(books.captures[0], reference="", capture_id="cap_shop"))
    assert look(now + LATER)[-1] is MessageState.DONE
    assert [why.partition(":")[0] for why in kept()] == [told] * bool(told) + ["paid to nobody"]


def test_a_bug_is_told_by_the_worker(now: datetime, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    _, payment = scenarios.paying(now=now)
    books.capture(payment)
    monkeypatch.setattr(reconciliation.payments, "record_report", Mock(side_effect=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        look(now + LATER)


def test_what_nobody_can_read_in_the_list_is_told_once_and_keeps_nobody_from_the_rest(
    now: datetime, books: Books
) -> None:
    booking, payment = scenarios.paying(now=now)
    books.unreadable = ["cap_odd: status: not a text"]
    books.capture(payment)
    for rounds in (1, 2):
        assert look(now + rounds * LATER)[-1] is MessageState.DONE
    assert scenarios.again(booking).state == State.CONFIRMED
    assert kept() == ["cannot be compared: among its captures, cap_odd: status: not a text"]


@pytest.mark.parametrize("error", [Unreadable("no status"), Permanent("HTTP 400")])
def test_a_payment_that_cannot_be_asked_after_is_told_once_and_keeps_nobody_from_the_others(
    error: OutsideFailure, now: datetime, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, odd = scenarios.paying(now=now)
    at = scenarios.slot_tomorrow(now, 9)
    paid_by_ravi, other = scenarios.paying("ravi@example.com", now=now, who=booking.psychologist, at=at)
    orders = {other.reference: scenarios.captured(other)}
    monkeypatch.setattr(books, "fetch_order", lambda reference, _: orders.get(reference) or raised(error))
    for rounds in (1, 2):
        assert look(now + rounds * LATER)[-1] is MessageState.DONE
    assert scenarios.again(paid_by_ravi).state == State.CONFIRMED
    assert InboxEvent.objects.get(result="quarantined").payment_reference == odd.reference


def raised(error: Exception) -> NoReturn:
    raise error


def test_a_round_whose_message_was_lost_is_begun_again_in_time(now: datetime, books: Books) -> None:
    scenarios.paying(now=now)
    reconciliation.begin_round(Payment.objects.get().pk, now=now)
    assert reconciliation.gateways_due(now=now + reconciliation.STUCK_AFTER - timedelta(seconds=1)) == []
    assert len(reconciliation.gateways_due(now=now + reconciliation.STUCK_AFTER)) == 1


def test_gateways_without_payments_in_the_time_are_not_asked(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    assert booking
    assert len(reconciliation.gateways_due(now=now + timedelta(hours=72))) == 1
    assert reconciliation.gateways_due(now=now + timedelta(hours=72, seconds=1)) == []


@pytest.mark.parametrize("is_dry", [True, False])
def test_the_command_prints_a_table_and_a_dry_run_changes_nothing(is_dry: bool, now: datetime, books: Books) -> None:
    booking, payment = scenarios.paying(now=now)
    books.capture(payment)
    out = StringIO()
    with time_machine.travel(now + LATER, tick=False):
        call_command("reconcile", "--since", "2026-11-20", *["--dry-run"] * is_dry, stdout=out)
    assert "paid, not booked" in out.getvalue()
    assert "1 differences" in out.getvalue()
    assert scenarios.again(booking).state == (State.PAYMENT_PENDING if is_dry else State.CONFIRMED)
