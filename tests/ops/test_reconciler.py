"""Our books held against a gateway's: each thing that can differ, put right or told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import NoReturn
from unittest.mock import Mock

import pytest
import time_machine
from django.core.management import call_command
from django.db import DatabaseError

from backend.bookings.lifecycle import reconciliation, refunds
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.errors import Code, OutsideFailure, Permanent, Refused, Transient, Unreadable
from backend.ops import reconciler
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.payments.gateway import Capture, CapturePage, OrderReport, OrderState, RefundOrderState, RefundReport
from backend.payments.models import InboxEvent, Payment, Reconciliation, Refund, RefundState
from tests.support import scenarios
from workers import payments, timers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments"), pytest.mark.sqlite_only]
LATER = timedelta(minutes=15)
DONE, PENDING, REFUSED = RefundOrderState.DONE, RefundOrderState.PENDING, RefundOrderState.REFUSED


class Books:
    """A gateway's, in memory: what it captured and gave back, listed one capture at a time."""

    name = "sandbox"
    has_pages = True

    def __init__(self) -> None:
        self.captures: list[OrderReport] = []
        self.orders: dict[str, OrderReport] = {}
        self.refunds: dict[str, list[RefundReport]] = {}
        self.asked: list[str] = []
        self.unreadable: list[str] = []
        self.trouble: Exception | None = None

    def capture(self, payment: Payment, **changes: object) -> OrderReport:
        report = scenarios.captured(payment, **changes)
        self.captures.append(report)
        self.orders.setdefault(payment.reference, report)
        return report

    def captures_page(self, _since: datetime, mark: str = "", /) -> CapturePage:
        self._ask(f"page {mark}")
        at = int(mark or 0)
        next_mark = str(at + 1) if at + 1 < len(self.captures) else ""
        return CapturePage(self.captures[at : at + 1], next_mark, self.unreadable)

    def fetch_order(self, reference: str, _id: str = "", /) -> OrderReport | None:
        self._ask(f"order {reference}")
        return self.orders.get(reference)

    def complete_order(self, reference: str, _id: str = "", /) -> OrderReport:
        order = self.orders[reference]
        self.orders[reference] = replace(order, state=OrderState.CAPTURED, capture_id="cap_granted")
        return self.orders[reference]

    def fetch_refunds(self, reference: str, _id: str = "", /) -> list[RefundReport]:
        self._ask(f"refunds {reference}")
        return self.refunds.get(reference, [])

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    books = Books()
    monkeypatch.setattr("backend.ops.reconciler.gateway_named", lambda _: books)
    return books


def look(at: datetime) -> list[MessageState | Snooze]:
    """One round, by the worker, piece by piece."""
    with time_machine.travel(at, tick=False):
        timers.reconcile()
        message = Message.objects.filter(kind=GatewayWork.RECONCILE).latest("pk")
        answers = [payments.perform(message)]
        while isinstance(answers[-1], Snooze) and answers[-1].until <= at:
            answers.append(payments.perform(message))
    return answers


def kept() -> list[str]:
    """What was kept for people, without what no event told of."""
    return list(InboxEvent.objects.filter(result="quarantined").order_by("pk").values_list("why", flat=True))


def paid(books: Books, now: datetime) -> tuple[Booking, Payment]:
    """A confirmed booking, in both books."""
    booking = scenarios.confirmed(now=now)
    payment = Payment.objects.get()
    books.capture(payment)
    return booking, payment


def given_back(booking: Booking, now: datetime, state: RefundOrderState = DONE) -> Refund:
    refund = refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    refunds.record_refund(refund.pk, RefundReport(refund.reference, "rfnd_1", state, 50_000), now=now)
    refund.refresh_from_db()
    return refund


def test_books_that_agree_leave_nothing_and_are_asked_as_little_as_may_be(now: datetime, books: Books) -> None:
    paid(books, now)
    assert look(now + LATER)[-1] is MessageState.DONE
    assert kept() == []
    asked = ["page ", f"refunds {Payment.objects.get().reference}"]
    assert books.asked == asked
    look(now + 2 * LATER)
    assert books.asked == [*asked, "page "], "refunds are asked after every hour alone"
    row = Reconciliation.objects.get()
    assert row.completed_at == row.ended_at == now + 2 * LATER


def test_what_is_paid_and_not_booked_is_booked_and_told_as_untold(now: datetime, books: Books) -> None:
    booking, payment = scenarios.paying(now=now)
    books.capture(payment, capture=Capture("upi", 236, 36))
    look(now + LATER)
    payment.refresh_from_db()
    assert scenarios.again(booking).state == State.CONFIRMED
    assert (payment.paid_by, payment.fee_paise, payment.tax_paise) == ("upi", 236, 36)
    assert not InboxEvent.objects.exists(), "an event may still come"
    look(now + 2 * LATER)
    look(now + 3 * LATER)
    assert InboxEvent.objects.get().result == "untold"


def test_a_capture_that_an_event_told_of_is_not_called_untold(now: datetime, books: Books) -> None:
    _, payment = paid(books, now)
    fields = {"kind": "order_captured", "payment_reference": payment.reference, "result": "confirmed"}
    InboxEvent.objects.create(gateway="sandbox", event_id="evt_1", received_at=now, applied_at=now, **fields)
    look(now + LATER)
    assert InboxEvent.objects.count() == 1


@pytest.mark.parametrize("end", ["failed", "timed out", "cancelled"])
def test_money_that_comes_three_days_after_its_attempt_confirms_or_goes_back(
    end: str, now: datetime, books: Books
) -> None:
    booking, payment = scenarios.paying(now=now, at=now + timedelta(days=9))
    ends: dict[str, Callable[[], object]] = {
        "failed": lambda: payments.payments.record_report(scenarios.declined(payment), actor="gateway", now=now),
        "timed out": lambda: payments.attempts.end_idle_attempt(payment.pk, now=booking.pay_by + timedelta(minutes=11)),
        "cancelled": lambda: scenarios.call_off(booking, now),
    }
    ends[end]()
    books.capture(payment)
    look(now + timedelta(hours=71))
    goes_back = end == "cancelled"
    assert scenarios.again(booking).state == (State.CANCELLED if goes_back else State.CONFIRMED)
    assert Refund.objects.count() == goes_back


def test_a_second_capture_of_an_order_goes_back_once(now: datetime, books: Books) -> None:
    _, payment = paid(books, now)
    books.capture(payment, capture_id="cap_second")
    for rounds in (1, 2):
        look(now + rounds * LATER)
        assert [refund.payment.capture_id for refund in Refund.objects.all()] == ["cap_second"]
    assert kept() == []


def test_what_the_bank_granted_is_captured_and_a_decline_is_noted(now: datetime, books: Books) -> None:
    booking, payment = scenarios.paying(now=now)
    books.orders[payment.reference] = scenarios.captured(payment, state=OrderState.AUTHORISED, capture_id="")
    declined, second = scenarios.paying(
        "ravi@example.com", now=now, who=booking.psychologist, at=scenarios.slot_tomorrow(now, 9)
    )
    books.orders[second.reference] = scenarios.declined(second)
    look(now + LATER)
    assert scenarios.again(booking).state == State.CONFIRMED
    assert scenarios.again(declined).state == State.APPROVED


@pytest.mark.parametrize("said", ["nothing", "declined"])
def test_what_is_booked_and_not_paid_is_told_once_and_changes_nothing(said: str, now: datetime, books: Books) -> None:
    booking = scenarios.confirmed(now=now)
    payment = Payment.objects.get()
    if said == "declined":
        books.orders[payment.reference] = scenarios.declined(payment)
    for rounds in (1, 2):
        look(now + rounds * LATER)
    [why] = kept()
    assert why.startswith("booked, not paid")
    assert scenarios.again(booking).state == State.CONFIRMED


def test_what_the_list_lacks_is_asked_for_in_each_round(now: datetime, books: Books) -> None:
    paid(books, now)
    look(now + LATER)
    books.captures.clear()
    books.orders.clear()
    look(now + 2 * LATER)
    assert [why.partition(":")[0] for why in kept()] == ["booked, not paid"]


def test_another_sum_and_a_capture_of_nobody_are_told_once(
    now: datetime, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    _, payment = paid(books, now)
    books.captures[0] = replace(books.captures[0], amount_paise=100)
    books.captures.append(replace(books.captures[0], reference="", capture_id="cap_shop"))
    for rounds in (1, 2):
        look(now + rounds * LATER)
    sums, nobodys = kept()
    assert sums == f"another sum: the capture cap_{payment.pk} is of ₹1.00, and of ₹1,500.00 in our books"
    assert nobodys.startswith("paid to nobody")
    assert caplog.text.count("kept in quarantine") == 2


def test_a_refund_that_no_event_told_of_is_noted(now: datetime, books: Books) -> None:
    booking, payment = paid(books, now)
    refund = given_back(booking, now, PENDING)
    books.refunds[payment.reference] = [RefundReport(refund.reference, "rfnd_1", DONE, 50_000)]
    look(now + LATER)
    refund.refresh_from_db()
    assert refund.state == RefundState.DONE
    assert kept() == []


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (DONE, [], "given back in our books alone"),
        (DONE, [("", REFUSED)], "given back in our books alone"),
        (DONE, [("", DONE), ("REF-STRANGE", DONE)], "given back at the gateway alone"),
        (DONE, [("", DONE), ("", DONE)], "given back twice"),
        (REFUSED, [("", DONE)], "given back at the gateway alone"),
        (REFUSED, [("", REFUSED)], ""),
        (DONE, [("", DONE)], ""),
        (PENDING, [("", PENDING)], ""),
        (PENDING, [], ""),  # the worker is about to ask for it
    ],
)
def test_refunds_on_one_side_alone_are_told_once(
    ours: RefundOrderState, theirs: list[tuple[str, RefundOrderState]], told: str, now: datetime, books: Books
) -> None:
    booking, payment = paid(books, now)
    refund = given_back(booking, now, ours)
    books.refunds[payment.reference] = [
        RefundReport(reference or refund.reference, f"rfnd_{number}", state, 50_000)
        for number, (reference, state) in enumerate(theirs)
    ]
    for rounds in (1, 6):
        look(now + rounds * LATER)
    assert [why.partition(":")[0] for why in kept()] == [told] * bool(told)


def test_a_refund_that_is_made_while_we_ask_is_not_missed(
    now: datetime, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, _ = paid(books, now)

    def none_yet(*_: object) -> list[RefundReport]:
        given_back(booking, now + LATER)
        return []

    monkeypatch.setattr(books, "fetch_refunds", none_yet)
    look(now + LATER)
    assert kept() == []


def test_what_staff_paid_out_is_no_refund_of_the_gateway_until_it_made_it_too(now: datetime, books: Books) -> None:
    booking, payment = paid(books, now)
    refund = given_back(booking, now, REFUSED)
    refunds.record_refund_made(refund.pk, actor="staff:desk", now=now)
    look(now + LATER)
    assert kept() == []
    books.refunds[payment.reference] = [RefundReport(refund.reference, "rfnd_1", DONE, 50_000)]
    look(now + 6 * LATER)
    assert [why.partition(":")[0] for why in kept()] == ["given back twice"]


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
