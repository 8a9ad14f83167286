"""Receipts and credit notes: which money gets one, what each says, and that nothing changes it."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, transaction

from backend.bookings.lifecycle import desk_money, payments, refunds
from backend.bookings.lifecycle.desk_money import Handed
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.outbox.models import Message, MessageState
from backend.payments import receipt_files, receipt_series
from backend.payments.models import DocumentKind, Payment, Receipt, ReceiptFile, ReceiptSeries, VoidReason
from backend.people.models import Location
from tests.support import scenarios
from workers import payments as worker

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
DESK = {"actor": "staff:desk"}
GSTIN = "27AAPFU0939F1ZV"


def numbers() -> list[str]:
    return list(Receipt.objects.order_by("pk").values_list("number", flat=True))


def taxes(receipt: Receipt) -> tuple[int, int, int, int]:
    return receipt.taxable_paise, receipt.cgst_paise, receipt.sgst_paise, receipt.igst_paise


def give_back(booking: Booking, paise: int | None, *, now: datetime) -> Receipt:
    refund = refunds.grant_refund(booking.pk, paise, now=now, **DESK)
    refunds.record_refund_made(refund.pk, now=now, **DESK)
    refunds.record_refund_made(refund.pk, now=now, **DESK)  # repeated: no second note
    return refund.credit_note


# -- which money gets one ----------------------------------------------------------------------------------------------


def test_a_capture_gets_one_receipt_and_money_that_nobody_expected_none(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    wrong = scenarios.captured(payment, amount_paise=1)
    payments.record_report(wrong, actor="gateway:sandbox", now=now)
    assert not Receipt.objects.exists()
    booking, payment = scenarios.paying("leela@example.org", now=now, who=scenarios.psychologist("Dr. B"))
    for _ in range(2):
        payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    (receipt,) = Receipt.objects.all()
    assert (receipt.payment, receipt.kind, receipt.number) == (payment, DocumentKind.RECEIPT, "MS/26-27/000001")
    assert (receipt.person_name, receipt.booking_reference) == (booking.full_name, booking.acknowledgement_id)
    assert receipt.description == "Session on 24 November 2026"
    assert (receipt.amount_paise, *taxes(receipt)) == (150_000, 150_000, 0, 0, 0)
    assert Message.objects.filter(kind="make_receipt", booking_id=None).get().subject_id == receipt.pk


def test_late_money_that_brings_a_booking_back_gets_one(now: datetime) -> None:
    booking = scenarios.timed_out(now=now)
    payment = Payment.objects.get()
    assert booking.pay_by is not None
    payments.record_report(
        scenarios.captured(payment), actor="gateway:sandbox", now=booking.pay_by + timedelta(hours=1)
    )
    assert scenarios.again(booking).state == State.CONFIRMED
    assert numbers() == ["MS/26-27/000001"]


def test_money_at_the_desk_gets_one_and_a_mistake_a_credit_note(now: datetime) -> None:
    booking = desk_money.record_desk_payment(scenarios.approved(now=now).pk, now=now, **DESK)
    void_desk_payment(booking.pk, VoidReason.NOT_RECEIVED, now=now, **DESK)
    desk_money.record_desk_payment(booking.pk, now=now, **DESK)
    assert numbers() == ["MS/26-27/000001", "CN/26-27/000001", "MS/26-27/000002"]
    note = Receipt.objects.get(kind=DocumentKind.CREDIT_NOTE)
    assert (note.refund, note.amount_paise, note.original) == (None, 150_000, Receipt.objects.first())


@pytest.mark.usefixtures("clock")
def test_money_that_is_due_at_the_practice_gets_one_when_it_is_paid(now: datetime) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    who = scenarios.psychologist(location=place)
    booking = scenarios.approved(now=now, who=who, mode="OFFLINE", payment_mode="OFFLINE")
    assert (scenarios.again(booking).state, numbers()) == (State.CONFIRMED, [])
    desk_money.record_desk_payment(booking.pk, now=now, **DESK)
    assert numbers() == ["MS/26-27/000001"]


def test_each_refund_that_was_made_gets_a_credit_note_that_names_its_receipt(now: datetime, settings: Any) -> None:
    settings.TAX_MODE, settings.PRACTICE_GSTIN, settings.PRACTICE_ADDRESS = "registered", GSTIN, "12 Baner Road; Pune"
    booking = desk_money.record_desk_payment(scenarios.approved(now=now).pk, now=now, **DESK)
    (receipt,) = Receipt.objects.all()
    settings.PRACTICE_LEGAL_NAME, settings.TAX_MODE, settings.TAX_PERCENT = "Another name", "exempt", 5
    notes = [give_back(booking, paise, now=now) for paise in (50_001, None)]
    assert [note.number for note in notes] == ["CN/26-27/000001", "CN/26-27/000002"]
    assert taxes(receipt) == (127_118, 11_441, 11_441, 0)
    assert [sum(parts) for parts in zip(*(taxes(note) for note in notes), strict=True)] == list(taxes(receipt))
    for note in notes:
        same = ("practice_name", "gstin", "tax_mode", "tax_percent", "place_of_supply", "description", "person_name")
        assert [getattr(note, name) for name in same] == [getattr(receipt, name) for name in same]
        assert note.original == receipt


# -- what it says ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"region": "Maharashtra"}, "27"),
        ({"region": "Tamil Nadu"}, "33"),
        ({"region": "Nowhere"}, "27"),
        ({"region": "Texas", "country": "USA"}, "96"),
    ],
)
def test_the_place_of_supply_is_where_they_live(
    typed: dict[str, str], place: str, now: datetime, settings: Any
) -> None:
    settings.TAX_MODE, settings.PRACTICE_GSTIN = "registered", GSTIN
    scenarios.confirmed(now=now, **typed)
    receipt = Receipt.objects.get()
    assert (receipt.place_of_supply, bool(receipt.igst_paise)) == (place, place != "27")


def test_of_a_session_in_person_it_is_the_practice(now: datetime, settings: Any) -> None:
    settings.TAX_MODE, settings.PRACTICE_GSTIN = "registered", GSTIN
    who = scenarios.psychologist(location=Location.objects.create(name="Baner", address="12 Baner Road, Pune"))
    scenarios.confirmed(now=now, who=who, mode="OFFLINE", region="Tamil Nadu")
    assert Receipt.objects.get().place_of_supply == "27"


def test_it_speaks_the_visitors_language_whoever_takes_the_money_and_so_does_its_credit_note(now: datetime) -> None:
    booking = scenarios.approved(now=now, language="hi")
    for paise in (50_000, 100_000):
        desk_money.record_desk_payment(booking.pk, Handed(amount_paise=paise), now=now, **DESK)
    Booking.objects.update(language="en")
    note = give_back(booking, 100, now=now)
    first, last = Receipt.objects.filter(kind=DocumentKind.RECEIPT)
    assert first.description == "24 नवंबर 2026 का सत्र; आंशिक भुगतान, ₹1,500.00 में से ₹1,000.00 शेष"
    assert last.description == "24 नवंबर 2026 का सत्र; ₹1,500.00 का अंतिम भाग"
    assert {one.language for one in (first, last, note)} == {"hi"}


# -- its number --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "year"), [(date(2027, 3, 31), 2026), (date(2027, 4, 1), 2027), (date(2099, 12, 31), 2099)]
)
def test_the_financial_year_begins_in_april(on: date, year: int) -> None:
    assert receipt_series.financial_year(on) == year


def test_each_year_and_kind_has_a_series_by_the_days_of_the_practice() -> None:
    last = datetime(2027, 3, 31, 18, 29, tzinfo=UTC)  # 23:59 in India
    for at in (last, last + timedelta(minutes=1)):
        with time_machine.travel(at, tick=False):
            booking = scenarios.approved(f"{at:%M}@example.org", now=at, who=scenarios.psychologist(f"Dr. {at:%M}"))
            desk_money.record_desk_payment(booking.pk, now=at, **DESK)
            give_back(booking, 100, now=at)
    assert numbers() == ["MS/26-27/000001", "CN/26-27/000001", "MS/27-28/000001", "CN/27-28/000001"]
    assert max(map(len, [*numbers(), receipt_series.Place(DocumentKind.RECEIPT, 2099, 9_999_999).number])) <= 16


def test_a_capture_that_is_rolled_back_gives_its_number_back(now: datetime) -> None:
    first = scenarios.approved(now=now)
    with transaction.atomic():
        desk_money.record_desk_payment(first.pk, now=now, **DESK)
        transaction.set_rollback(True)
    assert not Message.objects.filter(kind="make_receipt").exists()
    desk_money.record_desk_payment(first.pk, now=now, **DESK)
    assert numbers() == ["MS/26-27/000001"]
    assert ReceiptSeries.objects.get().next_number == 2


# -- its document ------------------------------------------------------------------------------------------------------


def test_the_worker_makes_the_document_once_and_keeps_it_with_its_hash(now: datetime) -> None:
    scenarios.confirmed(now=now)
    (message,), receipt = Message.objects.filter(kind="make_receipt"), Receipt.objects.get()
    assert receipt_files.content(receipt) is None
    assert worker.perform(message) is MessageState.DONE
    kept = ReceiptFile.objects.get()
    content = receipt_files.content(receipt)
    assert content is not None
    assert content.startswith(b"%PDF-")
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    receipt_files.keep(receipt, b"another", now=now)
    assert worker.perform(message) is MessageState.DONE
    assert list(ReceiptFile.objects.values()) == [ReceiptFile.objects.values().get(pk=kept.pk)]
    assert receipt_files.content(receipt) == content


@pytest.mark.parametrize("model", [Receipt, ReceiptFile])
def test_the_database_refuses_to_change_or_delete_them(model: type[Receipt] | type[ReceiptFile], now: datetime) -> None:
    scenarios.confirmed(now=now)
    receipt_files.keep(Receipt.objects.get(), b"%PDF-", now=now)
    for act in (lambda: model.objects.update(id=9), lambda: model.objects.all()._raw_delete("default")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()
