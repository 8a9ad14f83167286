"""The payments worker at a gateway with pages of its own: one open page a booking, closed with its attempt."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings.lifecycle import attempts, cancellation
from backend.bookings.lifecycle.payments import complete_payment
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.errors import Code, Refused, Transient
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.payments.gateway import LastTry, OrderState
from backend.payments.models import PageState, Payment, PaymentState
from tests.support import scenarios
from tests.support.hosted_pages import PLACES, Pages
from workers import payments

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments", "clock")]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Pages:
    pages = Pages()
    for place in PLACES:
        monkeypatch.setattr(place, lambda _: pages)
    return pages


def work(kind: GatewayWork, payment: Payment) -> MessageState | Snooze:
    return payments.perform(Message(kind=kind, subject_id=payment.pk))


def owed(kind: GatewayWork) -> int:
    return Message.objects.filter(kind=kind).count()


def again(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def paying(now: datetime) -> tuple[Booking, Payment]:
    booking, payment = scenarios.paying(now=now)
    assert work(GatewayWork.ENSURE_ORDER, payment) is MessageState.DONE
    return booking, again(payment)


def call_off(booking: Booking, now: datetime) -> None:
    cancellation.cancel_by_staff(
        booking.pk,
        note_to_visitor="",
        refund=cancellation.RefundChoice.FULL,
        refund_reason="",
        actor="staff:desk",
        now=now,
    )


def second_attempt(booking: Booking, first: Payment, now: datetime) -> Payment:
    """The first was left idle, and the visitor begins once more."""
    due_at = scenarios.again(booking).due_at
    assert due_at is not None
    attempts.end_idle_attempt(first.pk, now=due_at)
    return attempts.start_payment(booking.acknowledgement_id, now=due_at)


def test_the_page_of_an_attempt_is_kept_and_says_nothing_of_the_visitor(now: datetime, gateway: Pages) -> None:
    booking, payment = paying(now)
    assert (payment.page_state, payment.pay_url) == (PageState.OPEN, f"https://pay.example.org/{payment.reference}")
    assert gateway.given.description == f"Booking {booking.acknowledgement_id}"
    assert gateway.given.return_url.endswith(f"/go/pay/?payment={payment.reference}")
    assert gateway.given.expires_at == booking.due_at


def test_a_page_that_may_be_there_is_known_although_its_answer_was_lost(now: datetime, gateway: Pages) -> None:
    _, payment = scenarios.paying(now=now)
    gateway.loses_answers = True
    with pytest.raises(Transient):
        work(GatewayWork.ENSURE_ORDER, payment)
    assert again(payment).page_state == PageState.OPEN


def test_a_second_page_waits_until_the_first_is_closed(now: datetime, gateway: Pages) -> None:
    booking, first = paying(now)
    second = second_attempt(booking, first, now)
    assert isinstance(work(GatewayWork.ENSURE_ORDER, second), Snooze)
    assert (again(first).page_state, again(second).page_state) == (PageState.CLOSED, PageState.NONE)
    assert work(GatewayWork.ENSURE_ORDER, second) is MessageState.DONE
    assert again(second).page_state == PageState.OPEN
    assert gateway.asked.index(("close", first.reference)) < gateway.asked.index(("ensure", second.reference))


def test_a_second_page_waits_while_the_first_cannot_be_closed(now: datetime, gateway: Pages) -> None:
    booking, first = paying(now)
    second = second_attempt(booking, first, now)
    gateway.say(first.reference, OrderState.AUTHORISED, first.amount_paise)
    for _ in range(2):
        assert isinstance(work(GatewayWork.ENSURE_ORDER, second), Snooze)
    assert ("ensure", second.reference) not in gateway.asked


def test_money_found_when_the_first_page_is_closed_confirms(now: datetime, gateway: Pages) -> None:
    booking, first = paying(now)
    second = second_attempt(booking, first, now)
    gateway.say(first.reference, OrderState.CAPTURED, first.amount_paise)
    work(GatewayWork.ENSURE_ORDER, second)
    assert scenarios.again(booking).state == State.CONFIRMED
    assert work(GatewayWork.ENSURE_ORDER, second) is MessageState.OBSOLETE


@pytest.mark.parametrize("how", ["idle", "cancelled"])
def test_a_page_is_closed_when_the_booking_leaves_the_hold(how: str, now: datetime, gateway: Pages) -> None:
    booking, payment = paying(now)
    if how == "idle":
        assert booking.due_at is not None
        attempts.end_idle_attempt(payment.pk, now=booking.due_at)
    else:
        call_off(booking, now)
    assert owed(GatewayWork.CLOSE_ORDER) == 1
    assert work(GatewayWork.CLOSE_ORDER, payment) is MessageState.DONE
    assert (again(payment).page_state, gateway.orders[payment.reference].state) == ("closed", OrderState.CLOSED)
    assert work(GatewayWork.CLOSE_ORDER, payment) is MessageState.OBSOLETE


def test_a_page_that_was_never_made_is_waited_for_as_long_as_somebody_may_be_making_it(
    now: datetime, gateway: Pages, time_machine
) -> None:
    booking, payment = scenarios.paying(now=now)
    attempts.open_page(payment.pk)  # and the worker was killed
    call_off(booking, now)
    assert isinstance(work(GatewayWork.CLOSE_ORDER, payment), Snooze)
    time_machine.move_to(now + timedelta(minutes=4), tick=False)
    assert work(GatewayWork.CLOSE_ORDER, payment) is MessageState.DONE
    assert again(payment).page_state == PageState.CLOSED


def test_what_is_authorised_is_captured_only_for_a_booking_that_waits_for_it(now: datetime, gateway: Pages) -> None:
    booking, payment = paying(now)
    gateway.say(payment.reference, OrderState.AUTHORISED, payment.amount_paise)
    assert work(GatewayWork.LOOK_AT_ORDER, payment) is MessageState.DONE
    assert scenarios.again(booking).state == State.CONFIRMED


def test_what_is_authorised_for_a_closed_booking_is_left_to_lapse(now: datetime, gateway: Pages) -> None:
    booking, payment = paying(now)
    call_off(booking, now)
    gateway.say(payment.reference, OrderState.AUTHORISED, payment.amount_paise)
    work(GatewayWork.LOOK_AT_ORDER, payment)
    assert ("complete", payment.reference) not in gateway.asked


@pytest.mark.parametrize(
    ("last_try", "code"),
    [
        (LastTry.NONE, Code.PAY_BY_LINK),
        (LastTry.DECLINED, Code.PAYMENT_DECLINED),
        (LastTry.PENDING, Code.PAYMENT_NOT_CONFIRMED),
    ],
)
def test_the_sites_page_is_told_what_became_of_the_last_try(
    last_try: LastTry, code: Code, now: datetime, gateway: Pages
) -> None:
    _, payment = paying(now)
    gateway.say(payment.reference, OrderState.OPEN, payment.amount_paise, last_try)
    with pytest.raises(Refused) as refused:
        complete_payment(payment.reference, now=now)
    assert refused.value.code is code
    assert again(payment).state == PaymentState.OPEN, "a decline ends nothing: the page takes another try"


def test_the_web_makes_no_page(now: datetime, gateway: Pages) -> None:
    _, payment = scenarios.paying(now=now)
    with pytest.raises(Refused) as refused:
        complete_payment(payment.reference, now=now)
    assert refused.value.code is Code.PAYMENT_NOT_CONFIRMED
    assert gateway.asked == [("complete", payment.reference)]


def test_at_its_end_an_attempt_goes_on_while_the_bank_has_not_spoken(now: datetime, gateway: Pages) -> None:
    booking, payment = paying(now)
    gateway.say(payment.reference, OrderState.OPEN, payment.amount_paise, LastTry.PENDING)
    work(GatewayWork.ASK_GATEWAY, payment)
    assert scenarios.again(booking).state == State.PAYMENT_PENDING
    assert again(payment).last_try == LastTry.PENDING
