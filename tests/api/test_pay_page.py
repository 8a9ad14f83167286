"""Our page that leads to a gateway's: its answers, that only the button begins, and how seldom the gateway is asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings as configured

from backend.bookings import links, policy
from backend.bookings.lifecycle import attempts
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.payments.gateway import LastTry, OrderState
from backend.payments.models import Payment
from tests.support import api, scenarios
from tests.support.database_rows import everything
from tests.support.hosted_pages import PLACES, Pages
from tests.support.link_pages import browser, look, press, shown
from tests.support.pay_page import DAY, PAY, at, back, led_to, made, token_of

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


@pytest.fixture(autouse=True)
def gateway(monkeypatch: pytest.MonkeyPatch) -> Pages:
    pages = Pages()
    for place in PLACES:
        monkeypatch.setattr(place, lambda _: pages)
    return pages


@pytest.fixture
def booking(now: datetime) -> Booking:
    return scenarios.approved(now=now, at=now + 5 * DAY)


@pytest.fixture
def begun(booking: Booking, now: datetime) -> Payment:
    """With its page."""
    return made(attempts.start_payment(booking.acknowledgement_id, now=now))


# -- to pay -----------------------------------------------------------------------------------------------------------


def test_the_page_says_what_is_paid_for_what_and_until_when_and_begins_nothing(
    booking: Booking, now: datetime, gateway: Pages
) -> None:
    unchanged = everything()
    text = shown(look(PAY, token_of(booking)))
    assert "Amount ₹1,500.00" in text
    assert booking.acknowledgement_id in text
    assert booking.pay_by is not None
    assert f"Time left to pay Until {formatting.day_and_time(booking.pay_by)} If you cancel" in text
    assert "Pay ₹1,500.00" in text
    assert "Asha" not in text
    assert browser().head(PAY, {"token": token_of(booking)}).status_code == 200
    assert everything() == unchanged
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("setting", "starts_in", "by_staff", "says"),
    [
        ("full", 5 * DAY, False, "all of it comes back to you; after that, nothing"),
        ("full", DAY / 2, False, "The payment does not come back, because the session starts in less than 24 hours"),
        ("none", 5 * DAY, False, "If you cancel The payment does not come back Pay"),
        ("none", 5 * DAY, True, "Before the session starts, all of it comes back to you"),
    ],
)
def test_before_the_button_stands_what_comes_back(
    setting: str, starts_in: timedelta, by_staff: bool, says: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", setting)
    booking = scenarios.approved(now=now, at=now + starts_in)
    if by_staff:
        Booking.objects.filter(pk=booking.pk).update(moved_by_staff_at=now)
    text = shown(look(PAY, token_of(booking)))
    assert says in text
    assert text.index("If you cancel") < text.index("Pay ₹1,500.00")


def test_the_button_begins_waits_for_the_worker_and_leads_to_the_hosted_page(booking: Booking, gateway: Pages) -> None:
    address = led_to(press(look(PAY, token_of(booking))))
    payment = Payment.objects.get()
    assert address.startswith(f"./?payment={payment.reference}&at=")
    waiting = at(address)
    assert "This page goes on by itself" in shown(waiting)
    assert waiting["Refresh"] == "2"
    assert gateway.asked == [], "what is only being made is not asked after"
    made(payment)
    assert led_to(at(address)) == f"https://pay.example.org/{payment.reference}"
    assert gateway.asked == [("ensure", payment.reference)]


def test_it_waits_for_a_minute_and_then_leaves_it_to_the_button(
    booking: Booking, clock: time_machine.Traveller, now: datetime
) -> None:
    address = led_to(press(look(PAY, token_of(booking))))
    clock.move_to(now + timedelta(seconds=61))
    page = at(address)
    assert "is not ready yet, and nothing was paid" in shown(page)
    assert "Refresh" not in page
    made(Payment.objects.get())
    page = at(address)
    assert "Pay ₹1,500.00" in shown(page), "who goes back to it later is not sent off again"
    assert led_to(press(page)).startswith("https://pay.example.org/")


@pytest.mark.parametrize("moment", ["", "x", "-1", "0", "9" * 11, "9" * 40, "²"])
def test_only_a_button_of_this_minute_leads_on_by_itself(moment: str, begun: Payment) -> None:
    assert "Pay ₹1,500.00" in shown(browser().get(PAY, {"payment": begun.reference, "at": moment}))


def test_pressed_twice_there_is_one_attempt_and_one_page(booking: Booking) -> None:
    page = look(PAY, token_of(booking))
    first = led_to(press(page))
    made(Payment.objects.get())
    assert led_to(press(page)) == f"https://pay.example.org/{Payment.objects.get().reference}"
    assert led_to(at(first)) == f"https://pay.example.org/{Payment.objects.get().reference}"


def test_what_the_site_began_goes_on_by_the_mail_and_by_the_address_that_the_api_gives(
    booking: Booking, begun: Payment
) -> None:
    hosted = f"https://pay.example.org/{begun.reference}"
    again = api.done(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}))
    assert (
        again["pay_url"] == links.pay_page(begun.reference) == f"{configured.PUBLIC_URL}{PAY}?payment={begun.reference}"
    )
    assert led_to(press(at(again["pay_url"]))) == hosted
    assert led_to(press(look(PAY, token_of(booking)))) == hosted
    detail = api.done(api.get(api.VERIFY, {"token": scenarios.token_of(booking, Notice.BOOKING_APPROVED)}))["booking"]
    assert detail["pay_url"] == again["pay_url"]
    assert "pay_url" not in api.done(api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}))


def test_with_a_gateway_without_pages_the_site_pays(booking: Booking, gateway: Pages) -> None:
    token = token_of(booking)
    gateway.has_pages = False  # since the mail was written
    assert led_to(press(look(PAY, token))) == f"{configured.FRONTEND_URL}/payment?id={booking.acknowledgement_id}"
    body = api.done(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}))
    assert "pay_url" not in body
    detail = api.done(api.get(api.VERIFY, {"token": scenarios.token_of(booking, Notice.BOOKING_APPROVED)}))["booking"]
    assert "pay_url" not in detail


# -- back from the gateway --------------------------------------------------------------------------------------------


def test_paid_is_what_the_gateway_says_when_it_is_asked(begun: Payment, gateway: Pages) -> None:
    assert "Pay ₹1,500.00" in shown(back(begun)), "what the address says is not believed"
    gateway.say(begun.reference, OrderState.CAPTURED, begun.amount_paise)
    Payment.objects.update(looked_at=None)
    text = shown(back(begun))
    assert "Paid, thank you" in text
    assert scenarios.again(begun.booking).state == State.CONFIRMED
    asked = len(gateway.asked)
    assert shown(back(begun)) == shown(look(PAY, token_of(begun.booking))) == text
    assert len(gateway.asked) == asked, "what is paid is known"


def test_while_the_bank_is_silent_nobody_is_told_to_pay(
    begun: Payment, gateway: Pages, now: datetime, clock: time_machine.Traveller
) -> None:
    gateway.say(begun.reference, OrderState.OPEN, begun.amount_paise, LastTry.PENDING)
    page = back(begun)
    text = shown(page)
    assert "Please do not pay again. We will write to you by 10:40 IST." in text
    assert "Pay ₹" not in text
    assert page["Refresh"] == "5"
    answer = browser().post(PAY, {"payment": begun.reference})
    assert led_to(answer) == f"./?payment={begun.reference}"
    clock.move_to(now + timedelta(minutes=5))
    assert back(begun)["Refresh"] == "30"
    clock.move_to(now + timedelta(minutes=45))
    assert "We will write to you by 11:10 IST" in shown(back(begun)), "the attempt's end is over, the bank still silent"


def test_a_declined_try_leads_to_the_same_page(begun: Payment, gateway: Pages) -> None:
    gateway.say(begun.reference, OrderState.OPEN, begun.amount_paise, LastTry.DECLINED)
    page = back(begun)
    assert "No money was taken; you can try again." in shown(page)
    assert led_to(press(page)) == f"https://pay.example.org/{begun.reference}"
    assert Payment.objects.count() == 1


def test_a_declined_attempt_leads_to_another(begun: Payment, gateway: Pages) -> None:
    gateway.say(begun.reference, OrderState.DECLINED, begun.amount_paise)
    page = back(begun)
    assert "No money was taken; you can try again." in shown(page)
    assert scenarios.again(begun.booking).state == State.APPROVED
    second = led_to(press(page)).partition("&")[0]
    assert second == f"./?payment={Payment.objects.open().get().reference}"
    assert second != f"./?payment={begun.reference}"


def test_an_attempt_that_was_left_can_be_paid_after_all(begun: Payment, now: datetime, gateway: Pages) -> None:
    due_at = scenarios.again(begun.booking).due_at
    assert due_at is not None
    attempts.end_idle_attempt(begun.pk, now=due_at)
    text = shown(look(PAY, token_of(begun.booking, Notice.PAYMENT_ATTEMPT_FAILED)))
    assert "If the amount has left your account, please do not pay again" in text
    assert "Pay ₹1,500.00" in text


def test_once_the_hosted_page_has_closed_nobody_is_led_there(
    begun: Payment, clock: time_machine.Traveller, now: datetime
) -> None:
    clock.move_to(now + timedelta(minutes=41))
    page = look(PAY, token_of(begun.booking))
    assert "The payment page has closed" in shown(page)
    assert page["Refresh"] == "10"
    answer = browser().post(PAY, {"token": token_of(begun.booking)})
    assert led_to(answer) == f"./?token={token_of(begun.booking)}"


def test_many_who_look_at_once_ask_once(
    begun: Payment, gateway: Pages, now: datetime, clock: time_machine.Traveller
) -> None:
    assert "Pay ₹1,500.00" in shown(back(begun))
    gateway.say(begun.reference, OrderState.CAPTURED, begun.amount_paise)  # in this very moment
    for _ in range(2):
        page = back(begun)
        assert "We are asking whether your payment has come." in shown(page), "nobody who may have paid is asked to pay"
        assert page["Refresh"] == "5"
    assert gateway.asked.count(("complete", begun.reference)) == 1
    clock.move_to(now + timedelta(seconds=5))
    assert "Paid, thank you" in shown(back(begun))
    assert gateway.asked.count(("complete", begun.reference)) == 2


def test_a_gateway_that_does_not_answer_leaves_no_way_to_pay_twice(begun: Payment, gateway: Pages) -> None:
    gateway.is_silent = True
    assert "Please do not pay again" in shown(back(begun))
    assert "We are asking" in shown(back(begun))
    Payment.objects.update(looked_at=None)
    assert "Pay ₹1,500.00" in shown(look(PAY, token_of(begun.booking))), "who comes by the mail has not been there"
