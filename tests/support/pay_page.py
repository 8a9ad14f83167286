"""Our page that leads to a gateway's, as a browser opens it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from django.http import HttpResponse

from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.outbox.models import Message
from backend.payments.models import Payment
from tests.support import scenarios
from tests.support.link_pages import browser
from workers import payments

PAY = "/go/pay/"
DAY = timedelta(days=1)


def token_of(booking: Booking, notice: Notice = Notice.BOOKING_APPROVED) -> str:
    return scenarios.token_of(booking, notice, Purpose.PAY)


def made(payment: Payment) -> Payment:
    """The worker has made its page."""
    payments.perform(Message(kind=GatewayWork.ENSURE_ORDER, subject_id=payment.pk))
    return Payment.objects.get(pk=payment.pk)


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
