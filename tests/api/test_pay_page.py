"""Our page that leads to a gateway's: its answers, that only the button begins, and how seldom the gateway is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings as configured
from django.http import HttpResponse
from django.template.loader import render_to_string

from backend.bookings import links, policy
from backend.bookings.lifecycle import attempts, cancellation
from backend.bookings.lifecycle.payments import record_report
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.notifications import delivery, plain_text
from backend.outbox.models import Message
from backend.payments.gateway import LastTry, OrderState
from backend.payments.models import Payment, PaymentState
from tests.support import api, scenarios
from tests.support.database_rows import everything
from tests.support.hosted_pages import PLACES, Pages
from tests.support.link_pages import browser, look, press, shown
from workers import payments

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

PAY = "/go/pay/"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def gateway(monkeypatch: pytest.MonkeyPatch) -> Pages:
    pages = Pages()
    for place in PLACES:
        monkeypatch.setattr(place, lambda _: pages)
    return pages


@pytest.fixture
def booking(now: datetime) -> Booking:
    return scenarios.approved(now=now, at=now + 5 * DAY)


def token_of(booking: Booking, notice: Notice = Notice.BOOKING_APPROVED) -> str:
    return scenarios.token_of(booking, notice, Purpose.PAY)


def made(payment: Payment) -> Payment:
    """The worker has made its page."""
    payments.perform(Message(kind=GatewayWork.ENSURE_ORDER, subject_id=payment.pk))
    return Payment.objects.get(pk=payment.pk)


@pytest.fixture
def begun(booking: Booking, now: datetime) -> Payment:
    """With its page."""
    return made(attempts.start_payment(booking.acknowledgement_id, now=now))


def back(payment: Payment, **more: str) -> HttpResponse:
    """From the gateway, which adds to the address."""
    return browser().get(PAY, {"payment": payment.reference, "razorpay_payment_link_status": "paid", **more})


def led_to(response: HttpResponse) -> str:
    assert response.status_code == 303
    assert response["Referrer-Policy"] == "no-referrer"
    return str(response["Location"])


def at(path: str) -> HttpResponse:
    """What our own page leads to."""
    return browser().get(f"{PAY}?{urlsplit(path).query}")


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


# -- nothing to pay ---------------------------------------------------------------------------------------------------


def call_off(booking: Booking, now: datetime) -> None:
    choice = cancellation.RefundChoice.FULL
    cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=choice, refund_reason="", actor="staff:desk", now=now
    )


def test_a_closed_booking_is_never_led_to_a_hosted_page(begun: Payment, now: datetime, gateway: Pages) -> None:
    token = token_of(begun.booking)
    page = look(PAY, token)
    asked = list(gateway.asked)
    call_off(begun.booking, now)
    moment = str(int(now.timestamp()))
    for answer in (look(PAY, token), back(begun), back(begun, at=moment), press(page)):
        assert "This booking is already cancelled." in shown(answer, 409)
    assert gateway.asked == asked, "nothing is asked, so that nothing is captured"


def test_money_that_came_too_late_is_said_to_go_back(begun: Payment, now: datetime, gateway: Pages) -> None:
    call_off(begun.booking, now)
    record_report(scenarios.captured(begun, gateway_order_id=begun.gateway_order_id), actor="gateway:sandbox", now=now)
    assert "The money goes back to you." in shown(back(begun), 409)


def test_a_booking_paid_at_the_desk_says_so(begun: Payment) -> None:
    booking = scenarios.again(begun.booking)
    Payment.objects.filter(pk=begun.pk).update(state=PaymentState.IDLE)
    Booking.objects.filter(pk=booking.pk).update(state=State.CONFIRMED)
    assert "Nothing is to be paid online." in shown(look(PAY, token_of(booking)), 409)


def test_when_the_time_to_pay_is_over_the_page_says_so(
    booking: Booking, now: datetime, clock: time_machine.Traveller
) -> None:
    assert booking.due_at is not None
    clock.move_to(booking.due_at)
    assert "The time to pay for this booking has passed." in shown(look(PAY, token_of(booking)), 409)


def test_a_choice_comes_before_the_payment(begun: Payment, now: datetime) -> None:
    Booking.objects.filter(pk=begun.booking_id).update(choose_by=now + DAY)
    token = token_of(begun.booking)
    assert "Another time is to be chosen first" in shown(look(PAY, token), 409)
    detail = api.done(api.get(api.VERIFY, {"token": scenarios.token_of(begun.booking, Notice.BOOKING_APPROVED)}))
    assert "pay_url" not in detail["booking"]


def test_the_links_live_as_long_as_the_booking_and_tell_its_end_a_while_longer(
    begun: Payment, now: datetime, clock: time_machine.Traveller
) -> None:
    token = token_of(begun.booking)
    call_off(begun.booking, now)
    clock.move_to(now + policy.LINK_KEPT_AFTER_CLOSE)
    for answer in (look(PAY, token), back(begun)):
        assert "This link has expired." in shown(answer, 410)


@pytest.mark.parametrize("reference", ["PAY-NONE", "PAY-\x00", "PAY-é", "\ud800"])
def test_a_reference_that_nobody_was_given_is_unknown(reference: str) -> None:
    shown(browser().get(PAY, {"payment": reference.encode("utf-8", "surrogatepass")}), 404)


# -- the mails --------------------------------------------------------------------------------------------------------


def mail(booking: Booking, notice: Notice, now: datetime) -> Any:
    message = Message.objects.filter(booking_id=booking.pk, kind=notice).latest("pk")
    message.context, message.frozen_at = delivery.prepare(message, now=now), now
    return delivery.compose(message, links.tokens_of(message.uuid))


@pytest.mark.parametrize("notice", [Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE, Notice.LINK_REQUESTED])
def test_the_mails_button_leads_here_and_the_sites_address_stays(
    notice: Notice, booking: Booking, now: datetime
) -> None:
    if notice == Notice.LINK_REQUESTED:
        api.post(api.STATUS, {"email": scenarios.ASHA})
    sent = mail(booking, notice, now)
    html, ours = sent.alternatives[0][0], f"{configured.PUBLIC_URL}{PAY}?token={token_of(booking, notice)}"
    site = f"{configured.FRONTEND_URL}/payment?id={booking.acknowledgement_id}"
    assert ours in sent.body.split()
    assert site in sent.body.split()
    assert f'class="action-link" href="{ours}"' in html
    assert f'class="action-link" href="{site}"' not in html
    assert site in html


def test_in_a_mail_about_several_each_has_its_own() -> None:
    one = {"pay_by": "noon", "pay_url": "https://site/payment?id=MS-1", "pay_page_url": f"https://ours{PAY}?token=1"}
    other = {"pay_by": "noon", "pay_url": "https://site/payment?id=MS-2"}
    html = render_to_string("mail/_each_session.html", {"sessions": [one, other]})
    for text in (html, plain_text.of_html(html)[1]):
        assert all(address in text for address in (one["pay_page_url"], one["pay_url"], other["pay_url"]))


def test_with_the_sandbox_a_mail_brings_no_such_link(now: datetime, gateway: Pages) -> None:
    gateway.has_pages = False
    booking = scenarios.approved(now=now)
    assert token_of(booking) == ""
    assert "/go/pay/" not in mail(booking, Notice.BOOKING_APPROVED, now).body


def test_what_is_paid_brings_no_link_to_pay(now: datetime) -> None:
    scenarios.confirmed(now=now)
    api.post(api.STATUS, {"email": scenarios.ASHA})
    message = Message.objects.filter(kind=Notice.LINK_REQUESTED).latest("pk")
    assert Purpose.PAY not in links.tokens_of(message.uuid)
