"""Where nothing is to be paid our page says so; and the mails that bring its link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.template.loader import render_to_string

from backend.bookings import links, policy
from backend.bookings.lifecycle import attempts, cancellation
from backend.bookings.lifecycle.payments import record_report
from backend.bookings.machine import State
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.notifications import delivery, plain_text
from backend.outbox.models import Message
from backend.payments.models import Payment, PaymentState
from tests.support import api, scenarios
from tests.support.hosted_pages import PLACES, Pages
from tests.support.link_pages import browser, look, press, shown
from tests.support.pay_page import DAY, PAY, back, made, token_of

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
