"""Our books held against a gateway's: each thing that can differ, put right or told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backend.bookings.lifecycle import refunds
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.outbox.models import MessageState
from backend.payments.gateway import Capture, OrderState, RefundOrderState, RefundReport
from backend.payments.models import InboxEvent, Payment, Reconciliation, Refund, RefundState
from tests.support import scenarios
from tests.support.gateway_books import LATER, Books, kept, look, paid
from workers import payments

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments"), pytest.mark.sqlite_only]
DONE, PENDING, REFUSED = RefundOrderState.DONE, RefundOrderState.PENDING, RefundOrderState.REFUSED


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


def test_the_older_a_sum_is_the_less_often_its_refunds_are_asked_after(now: datetime, books: Books) -> None:
    paid(books, now)
    asked = []
    for hours in (0, 1, 30, 31, 35, 36):
        books.asked.clear()
        look(now + LATER + timedelta(hours=hours))
        asked.append(any(question.startswith("refunds") for question in books.asked))
    assert asked == [True, True, True, False, False, True]


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
