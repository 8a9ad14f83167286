"""Receipts in mails: waited for, attached as they are kept, and else behind the link."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.mail import EmailMultiAlternatives

from backend.bookings import links
from backend.bookings.lifecycle import attempts, desk_money, payments, refunds
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.payments import receipt_files
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Receipt, VoidReason
from backend.people.models import Location
from tests.support import scenarios

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
PDF = b"%PDF-1.7 of this test"
DESK = {"actor": "staff:desk"}
SECOND = timedelta(seconds=1)


def owed(notice: Notice) -> Message:
    return Message.objects.get(kind=notice)


def composed(message: Message, now: datetime) -> EmailMultiAlternatives:
    message.context, message.frozen_at = delivery.prepare(message, now=now), now
    return delivery.compose(message, links.tokens_of(message.uuid))


def documents(mail: EmailMultiAlternatives) -> list[tuple[str, bytes]]:
    return [(one.filename, one.content) for one in mail.attachments if one.mimetype == "application/pdf"]


def make_all(now: datetime) -> None:
    for receipt in Receipt.objects.filter(file=None):
        receipt_files.keep(receipt, PDF + receipt.number.encode(), now=now)


def test_the_confirmation_waits_ten_seconds_and_then_links_to_it(now: datetime) -> None:
    scenarios.confirmed(now=now)
    message = owed(Notice.BOOKING_CONFIRMED)
    waits = [delivery.held_until(message, now=now + n * SECOND) for n in (0, 9, 9.5, 10)]
    assert waits == [now + SECOND, now + 10 * SECOND, now + 10 * SECOND, None]
    mail = composed(message, now + 10 * SECOND)
    assert documents(mail) == []
    assert "/go/receipt/?token=" in mail.body
    assert "/go/receipt/?token=" in str(mail.alternatives[0].content)
    make_all(now)
    again = delivery.compose(message, links.tokens_of(message.uuid))  # a retry says the same
    assert (again.body, documents(again)) == (mail.body, [])


def test_it_is_attached_as_soon_as_it_is_made_and_each_time_the_same(now: datetime) -> None:
    scenarios.confirmed(now=now)
    make_all(now)
    message = owed(Notice.BOOKING_CONFIRMED)
    assert delivery.held_until(message, now=now) is None
    mail = composed(message, now)
    assert documents(mail) == [("MS-26-27-000001.pdf", PDF + b"MS/26-27/000001")]
    assert "MS/26-27/000001, attached" in mail.body
    assert "/go/receipt/" not in mail.body
    assert [one.filename for one in mail.attachments] == ["appointment.ics", "MS-26-27-000001.pdf"]
    first, second = (delivery.compose(message, links.tokens_of(message.uuid)).message().as_bytes() for _ in range(2))
    assert first == second


def test_the_mail_of_a_refund_brings_its_credit_note_and_waits_longer(now: datetime) -> None:
    booking = desk_money.record_desk_payment(scenarios.approved(now=now).pk, now=now, **DESK)
    refund = refunds.grant_refund(booking.pk, 50_000, now=now, **DESK)
    refunds.record_refund_made(refund.pk, now=now, **DESK)
    message = owed(Notice.REFUND_MADE)
    assert delivery.held_until(message, now=now + 599 * SECOND) == now + 600 * SECOND
    assert delivery.held_until(message, now=now + 600 * SECOND) is None
    assert "ask us" in composed(message, now + 600 * SECOND).body
    make_all(now)
    mail = composed(message, now)
    assert documents(mail) == [("CN-26-27-000001.pdf", PDF + b"CN/26-27/000001")]
    assert "CN/26-27/000001 is attached" in mail.body


def test_a_part_at_the_practice_is_told_with_its_receipt_and_what_is_left(now: datetime) -> None:
    part = desk_money.Handed(amount_paise=50_000)
    booking = desk_money.record_desk_payment(scenarios.approved(now=now).pk, part, now=now, **DESK)
    message = owed(Notice.PAYMENT_RECEIVED)
    assert delivery.held_until(message, now=now) == now + SECOND
    make_all(now)
    mail = composed(message, now)
    assert documents(mail) == [("MS-26-27-000001.pdf", PDF + b"MS/26-27/000001")]
    assert "Price: ₹1,500.00\nLeft to pay: ₹1,000.00" in mail.body
    assert formatting.day_and_time(booking.pay_by) in mail.body
    approved = composed(owed(Notice.BOOKING_APPROVED), now)
    assert "Amount: ₹1,000.00, the rest: ₹500.00 is paid" in approved.body


def test_money_for_a_session_that_is_confirmed_already_is_told_with_its_receipt(now: datetime) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    who = scenarios.psychologist(location=place)
    booking = scenarios.approved(now=now, who=who, mode="OFFLINE", payment_mode="OFFLINE")
    desk_money.record_desk_payment(booking.pk, now=now, **DESK)
    make_all(now)
    mail = composed(owed(Notice.PAYMENT_RECEIVED), now)
    assert [name for name, _ in documents(mail)] == ["MS-26-27-000001.pdf"]
    assert "With it all of ₹1,500.00 is paid." in mail.body


def test_one_mail_tells_each_way_on_which_money_comes_back(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    desk_money.record_desk_payment(booking.pk, desk_money.Handed(amount_paise=50_000), now=now, **DESK)
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    refunds.grant_refund(booking.pk, 120_000, now=now, **DESK)
    visitors, staffs = composed(owed(Notice.REFUND_QUEUED), now), composed(owed(Notice.STAFF_REFUND_DUE), now)
    assert visitors.subject.endswith("₹1,200.00 comes back to you")
    assert "₹1,000.00: It is on its way to the account" in visitors.body
    assert "₹200.00: You paid at the practice" in visitors.body
    assert "₹200.00" in staffs.subject  # what the gateway makes is nobody's task
    assert "₹1,000.00" not in staffs.body


def test_staff_read_why_the_gateway_refused_a_refund(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, now=now, **DESK)
    report = RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise, "account closed")
    refunds.record_refund(refund.pk, report, now=now)
    mail = composed(owed(Notice.STAFF_REFUND_DUE), now)
    assert "Reason: account closed" in mail.body
    assert "account closed" in str(mail.alternatives[0].content)


def test_a_payment_that_is_taken_back_brings_the_credit_note_of_its_receipt(now: datetime) -> None:
    booking = desk_money.record_desk_payment(scenarios.approved(now=now).pk, now=now, **DESK)
    void_desk_payment(booking.pk, VoidReason.NOT_RECEIVED, now=now, **DESK)
    message = owed(Notice.PAYMENT_VOIDED)
    assert "/go/receipt/?token=" in composed(message, now).body
    make_all(now)
    assert [name for name, _ in documents(composed(message, now))] == ["CN-26-27-000001.pdf"]


def test_what_waits_for_nothing_is_not_held(now: datetime) -> None:
    scenarios.confirmed(now=now)
    for message in Message.objects.filter(queue="mail").exclude(kind=Notice.BOOKING_CONFIRMED):
        assert delivery.held_until(message, now=now) is None
    message = owed(Notice.BOOKING_CONFIRMED)
    message.may_have_left = True
    assert delivery.held_until(message, now=now) is None
    message.may_have_left = False
    assert delivery.held_until(message, now=now - SECOND) is None  # the clock went back
