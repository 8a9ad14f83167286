"""Money at the desk: how it came, of which day, and the picture that a visitor scans to pay by UPI."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from backend.bookings.lifecycle.desk_money import Handed, record_desk_payment
from backend.bookings.machine import State
from backend.core.errors import Code, Refused
from backend.payments import upi
from backend.payments.models import DeskMeans, Payment
from tests.support import scenarios, staff_api
from tests.support.admin_site import owner

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]


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


def test_the_form_proposes_what_is_left_and_takes_a_part(now: datetime) -> None:
    booking, site = scenarios.approved(now=now), owner()
    assert 'value="1500.00"' in site.get(page_of(booking)).content.decode()
    site.post(page_of(booking), {"amount": "500", "means": "upi", "seen": booking.ledger_sequence})
    shown = site.get(page_of(booking)).content.decode()
    assert 'value="1000.00"' in shown
    assert "₹500.00 of ₹1,500.00 is paid" in shown
    too_much = site.post(page_of(booking), {"amount": "1000.01", "seen": scenarios.again(booking).ledger_sequence})
    assert "more than what is left to pay: ₹1,000.00" in too_much.content.decode()
    page = site.get(reverse("admin:bookings_booking_change", args=[booking.pk])).content.decode()
    assert "part paid, ₹500.00 of ₹1,500.00, ₹1,000.00 left" in page


def test_a_part_is_chosen_to_be_voided(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    for rupees in (500, 400):
        part = Handed(DeskMeans.UPI, f"UTR {rupees}", amount_paise=rupees * 100)
        record_desk_payment(booking.pk, part, actor="staff:desk", now=now)
    page, site = reverse("admin:bookings_booking_void-payment", args=[booking.pk]), owner()
    assert "₹500.00, UPI UTR 500" in site.get(page).content.decode()
    first = Payment.objects.get(bank_reference="UTR 500")
    typed = {"payment": first.reference, "why": "wrong_sum", "seen": scenarios.again(booking).ledger_sequence}
    assert site.post(page, typed).status_code == 302
    assert [one.state for one in Payment.objects.order_by("pk")] == ["voided", "captured"]


def test_a_program_records_and_voids_a_part(now: datetime) -> None:
    booking, program = scenarios.approved(now=now), staff_api.desk()
    assert program.act(booking, "desk-payment", {"amount": "500.00"}).status_code == 200
    shown = program.get(f"{booking.acknowledgement_id}/").json()
    assert (shown["payment_status"], shown["amount_paid"], shown["amount_left"]) == ("part_paid", "500.00", "1000.00")
    assert program.act(booking, "desk-payment", {"amount": "1000.01"}).status_code == 409
    named = {"why": "wrong_sum", "payment_reference": Payment.objects.get().reference}
    assert program.act(booking, "void-desk-payment", named).status_code == 200
    assert Payment.objects.get().state == "voided"


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
