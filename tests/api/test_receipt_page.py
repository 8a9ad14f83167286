"""`/go/receipt/`: the receipts behind a booking's link, and nobody else's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from backend.bookings import policy
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.payments import receipt_files
from backend.payments.models import Receipt
from tests.support import api, latin, scenarios
from tests.support.link_pages import browser, look, shown
from tests.support.scenarios import RAVI

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
PAGE = "/go/receipt/"
PDF = b"%PDF-1.7 of this test"


def token_of(booking: Booking) -> str:
    return scenarios.token_of(booking, Notice.BOOKING_CONFIRMED)


def test_the_link_shows_its_receipts_and_gives_each_as_it_is_kept(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    token, receipt = token_of(booking), Receipt.objects.get()
    asked = {"token": token, "number": receipt.number}
    page = shown(look(PAGE, token))
    assert "MS/26-27/000001" in page
    assert "₹1,500.00, 23 November 2026" in page
    early = browser().get(PAGE, asked)
    assert (early.status_code, early["Retry-After"]) == (503, "10")
    receipt_files.keep(receipt, PDF, now=now)
    answer = browser().get(PAGE, asked)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, PDF, "application/pdf")
    assert answer["Content-Disposition"] == 'attachment; filename="MS-26-27-000001.pdf"'
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert browser().post(PAGE, asked).content == PDF


def test_nobody_sees_the_receipts_of_another_booking(now: datetime) -> None:
    scenarios.confirmed(now=now)
    other = scenarios.approved(RAVI, now=now, who=scenarios.psychologist("Dr. B"))
    token = scenarios.token_of(other, Notice.BOOKING_APPROVED)
    assert "There is no receipt" in shown(look(PAGE, token))
    shown(browser().get(PAGE, {"token": token, "number": "MS/26-27/000001"}), 404)


def test_the_link_works_as_long_as_it_shows_the_booking_and_no_other_does(now: datetime, clock: Any) -> None:
    booking = scenarios.confirmed(now=now)
    token = token_of(booking)
    shown(look(PAGE, scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.CANCEL_LATE)), 404)
    shown(look(PAGE, scenarios.token_of(scenarios.submitted(RAVI, now=now))), 409)
    scenarios.call_off(booking, now)
    shown(look(PAGE, token))
    clock.move_to(now + policy.LINK_KEPT_AFTER_CLOSE)
    shown(look(PAGE, token), 410)


def test_a_document_that_was_changed_is_given_to_nobody(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = scenarios.confirmed(now=now)
    with monkeypatch.context() as patched:
        patched.setattr(receipt_files.hashlib, "sha256", lambda _: type("", (), {"hexdigest": lambda _: "0" * 64})())
        receipt_files.keep(Receipt.objects.get(), PDF, now=now)
    answer = browser().get(PAGE, {"token": token_of(booking), "number": "MS/26-27/000001"})
    assert answer.status_code == 500
    assert PDF not in answer.content


def test_the_site_learns_of_the_page_once_something_was_paid(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    shown_booking = api.post(api.VERIFY, {"token": token_of(booking)}).json()["booking"]
    assert shown_booking["receipts_url"].endswith(f"/go/receipt/?token={token_of(booking)}")
    other = scenarios.pending(RAVI, now=now)
    assert "receipts_url" not in api.post(api.VERIFY, {"token": scenarios.token_of(other)}).json()["booking"]


def test_in_hindi_no_english_is_left_on_the_page(now: datetime) -> None:
    token = token_of(scenarios.confirmed(now=now, language="hi"))
    html = browser().get(PAGE, {"token": token, "language": "hi"}).content.decode()
    assert "रसीद MS/26-27/000001" in html
    assert latin.words(latin.of_html(html), "MindSettler", "English", "Booking") == []
