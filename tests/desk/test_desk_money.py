"""Money at the desk: how it came, of which day, and the picture that a visitor scans to pay by UPI."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from backend.bookings.lifecycle.front_desk import Handed, record_desk_payment
from backend.bookings.machine import State
from backend.core.errors import Code, Refused
from backend.payments import upi
from backend.payments.models import DeskMeans, Payment
from tests.support import scenarios, staff_api
from tests.support.admin_site import owner

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def page_of(booking: object) -> str:
    return reverse("admin:bookings_booking_record-payment", args=[booking.pk])  # type: ignore[attr-defined]


def test_what_staff_know_of_the_money_is_kept(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    typed = {"means": "upi", "reference": "UTR 1234/56", "received_on": "2026-11-22", "seen": booking.ledger_sequence}
    assert owner().post(page_of(booking), typed).status_code == 302
    payment = Payment.objects.get()
    assert (payment.paid_by, payment.bank_reference, payment.received_on) == ("upi", "UTR 1234/56", date(2026, 11, 22))
    assert scenarios.again(booking).state == State.CONFIRMED


def test_one_click_records_cash_of_today(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    owner().post(page_of(booking), {"seen": booking.ledger_sequence})
    payment = Payment.objects.get()
    assert (payment.paid_by, payment.bank_reference, payment.received_on) == ("cash", "", None)


@pytest.mark.parametrize("days", [1, -61])
def test_money_of_a_day_to_come_or_long_ago_is_a_typing_error(days: int, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    handed = Handed(DeskMeans.CASH, on=now.date() + timedelta(days=days))
    with pytest.raises(Refused) as refused:
        record_desk_payment(booking.pk, handed, actor="staff:desk", now=now)
    assert refused.value.code is Code.MONEY_DAY_INVALID
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "typed", [{"means": "barter"}, {"reference": "x" * 41}, {"reference": "<b>"}, {"received_on": "x"}]
)
def test_the_programs_door_asks_for_the_same(typed: dict[str, str], now: datetime) -> None:
    booking, program = scenarios.approved(now=now), staff_api.desk()
    assert program.act(booking, "desk-payment", typed).status_code == 400
    assert program.act(booking, "desk-payment", {"means": "card", "reference": "POS 7"}).status_code == 200
    assert Payment.objects.get().paid_by == "card"


@pytest.fixture
def with_upi(settings) -> None:  # type: ignore[no-untyped-def]
    settings.UPI_ID = "practice@bank"


@pytest.mark.usefixtures("with_upi")
def test_the_picture_says_sum_and_booking_and_nothing_of_the_visitor(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    text = upi.address(123_405, booking.acknowledgement_id)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(text).query).items()}
    assert (text.partition("?")[0], asked) == (
        "upi://pay",
        {
            "pa": "practice@bank",
            "pn": "Booking",
            "am": "1234.05",
            "cu": "INR",
            "tn": booking.acknowledgement_id,
            "tr": booking.acknowledgement_id,
        },
    )
    assert upi.png(text) == upi.png(text)
    assert "<svg" in owner().get(page_of(booking)).content.decode()


def test_without_an_address_no_picture_is_shown(now: datetime) -> None:
    assert "desk-scan" not in owner().get(page_of(scenarios.approved(now=now))).content.decode()
