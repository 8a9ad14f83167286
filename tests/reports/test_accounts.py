"""Money for the accountant: what came and went, and what the gateway paid out beside it, item by item."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from backend.accounts.roles import Role
from backend.bookings.machine import State
from backend.core.errors import Transient
from backend.core.outgoing.fields import Fields
from backend.payments import settlements
from backend.payments.gateway import SettledItem
from backend.payments.models import Payment, Refund, RefundState, SettlementLine
from backend.payments.razorpay import listings
from backend.reports.accounts import Verdict, movements, statement
from tests.support import factories, roles
from tests.support.admin_site import logged_in
from workers import payments

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
DAY = timedelta(days=1)


class PaysOut:
    """A gateway that pays out what it is told."""

    name = "razorpay"

    def __init__(self, *items: SettledItem) -> None:
        self.items = list(items)
        self.asked: list[date] = []

    def settled_items(self, day: date) -> Iterable[SettledItem]:
        self.asked.append(day)
        return [item for item in self.items if item.settled_at.date() == day]


def paid(number: int, now: datetime, paise: int = 150_000) -> Payment:
    booking = factories.make_booking(State.CANCELLED, now=now, email=f"v{number}@example.org", closed_at=now)
    payment = factories.make_payment(booking, now=now)
    Payment.objects.filter(pk=payment.pk).update(
        gateway="razorpay", capture_id=f"pay_{number}", captured_paise=paise, paid_by="upi", captured_at=now
    )
    return Payment.objects.get(pk=payment.pk)


def item(payment: Payment, at: datetime, **changes: object) -> SettledItem:
    whole = SettledItem(
        "payment",
        payment.capture_id,
        payment.reference,
        payment.captured_paise,
        3_540,
        540,
        "INR",
        "setl_1",
        "UTR1",
        at,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def fetched(now: datetime, *items: SettledItem) -> None:
    settlements.fetch_day(PaysOut(*items), now.date())  # type: ignore[arg-type]


def verdicts(now: datetime) -> list[str]:
    return [found.verdict for found in statement(now - DAY, now + DAY, now=now).items]


def test_what_was_paid_out_with_the_same_sum_agrees_to_the_paisa(now: datetime) -> None:
    rows = [paid(number, now, 150_000 + number) for number in range(3)]
    back = factories.make_refund(rows[0], now=now, state=RefundState.DONE, settled_at=now)
    Refund.objects.filter(pk=back.pk).update(gateway_refund_id="rfnd_0")
    went = SettledItem("refund", "rfnd_0", back.reference, -back.amount_paise, 0, 0, "INR", "setl_1", "UTR1", now)
    fetched(now, *(item(row, now) for row in rows), went)
    found = statement(now - DAY, now + DAY, now=now)
    assert {each.verdict for each in found.items} == {Verdict.AGREES}
    assert found.ours_paise == found.theirs_paise == 450_003 - back.amount_paise
    assert (found.fee_paise, found.tax_paise, found.differences) == (3 * 3_540, 3 * 540, [])


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"amount_paise": 149_999}, Verdict.ANOTHER_SUM),
        ({"currency": "USD"}, Verdict.ANOTHER_SUM),
        ({"gateway_id": "pay_of_nobody"}, Verdict.NOT_OURS),
        ({"kind": "adjustment"}, Verdict.NOT_OURS),
    ],
)
def test_what_differs_is_told_item_by_item(changes: dict[str, object], verdict: Verdict, now: datetime) -> None:
    fetched(now, item(paid(1, now), now, **changes))
    assert verdict in verdicts(now)


@pytest.mark.parametrize(("days", "verdict"), [(6, Verdict.NOT_PAID_OUT), (8, Verdict.OVERDUE)])
def test_a_capture_that_was_not_paid_out_waits_and_then_is_overdue(days: int, verdict: Verdict, now: datetime) -> None:
    paid(1, now)
    assert [each.verdict for each in statement(now, now + DAY, now=now + days * DAY).items] == [verdict]


def test_a_day_that_is_fetched_again_adds_only_what_is_new(now: datetime) -> None:
    first, second = paid(1, now), paid(2, now)
    fetched(now, item(first, now))
    fetched(now, item(first, now, amount_paise=1), item(second, now))
    assert dict(SettlementLine.objects.values_list("gateway_id", "amount_paise")) == {
        "pay_1": 150_000,
        "pay_2": 150_000,
    }


def test_a_line_that_cannot_be_read_keeps_no_other_from_being_kept(
    now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = {
        "type": "payment", "entity_id": "pay_1", "amount": 150_000, "fee": 3_540, "tax": 540, "currency": "INR",
        "settlement_id": "setl_1", "settled_at": int(now.timestamp()), "settled": True,
    }  # fmt: skip
    lines = [{**good, "entity_id": "pay_odd", "amount": "a lot"}, good]
    monkeypatch.setattr(listings, "pages", lambda *_given, **_query: [Fields(line) for line in lines])
    told = PaysOut()
    told.settled_items = lambda day: listings.settled_items(None, day)  # type: ignore[method-assign, assignment, arg-type]
    assert settlements.fetch_day(told, now.date()) == 1  # type: ignore[arg-type]
    assert list(SettlementLine.objects.values_list("gateway_id", flat=True)) == ["pay_1"]
    assert "pay_odd: amount" in caplog.text


def test_the_timer_asks_each_gateway_that_took_money_for_the_last_days(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(1, now)
    gateway = PaysOut()
    monkeypatch.setattr(payments, "gateway_named", lambda _: gateway)
    payments.fetch_settlements()
    assert gateway.asked == [date(2026, 11, day) for day in (20, 21, 22)]


def test_a_gateway_that_does_not_answer_ends_no_worker(
    now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    paid(1, now)

    def down(*_: object) -> int:
        raise Transient("down")

    monkeypatch.setattr(settlements, "fetch_day", down)
    monkeypatch.setattr(payments, "gateway_named", lambda name: name)
    payments.fetch_settlements()
    assert "are not known: down" in caplog.text


def test_the_command_refuses_days_to_come_and_gateways_that_we_lack() -> None:
    for arguments in (["2026-11-24"], ["2026-11-23", "2026-11-22"], ["2026-11-20", "--gateway", "nobody"]):
        with pytest.raises(CommandError):
            call_command("settlements", *arguments)


def test_the_page_and_its_files_tell_the_same(now: datetime) -> None:
    payment = paid(1, now, 12_345_678)
    fetched(now, item(payment, now, amount_paise=12_345_670))
    desk = logged_in(roles.account(roles.OWNER))
    address = reverse("desk:accounts")
    page = desk.get(address).content.decode()
    assert "₹1,23,456.78" in page
    assert "another sum" in page
    answer = desk.get(address, {"first": "2026-11-01", "last": "2026-11-30", "as": "csv"})
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["amount"], row["fee with tax"], row["booking"]) == (
        "123456.78",
        "35.4",
        payment.booking.acknowledgement_id,
    )
    book = desk.get(address, {"first": "2026-11-01", "last": "2026-11-30", "as": "xlsx"})
    with zipfile.ZipFile(io.BytesIO(book.content)) as parts:
        texts = parts.read("xl/sharedStrings.xml").decode()
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert payment.reference in texts
    assert "another sum" in texts
    assert "<v>123456.78</v>" in sheet


def test_no_text_of_a_workbook_is_a_formula(now: datetime) -> None:
    payment = paid(1, now)
    Payment.objects.filter(pk=payment.pk).update(paid_by='=HYPERLINK("http://x")')
    desk = logged_in(roles.account(roles.OWNER))
    book = desk.get(reverse("desk:accounts"), {"first": "2026-11-01", "last": "2026-11-30", "as": "xlsx"})
    with zipfile.ZipFile(io.BytesIO(book.content)) as parts:
        assert "<f>" not in parts.read("xl/worksheets/sheet1.xml").decode()


def test_a_receptionist_does_not_see_the_accounts() -> None:
    assert logged_in(roles.account(Role.RECEPTIONIST)).get(reverse("desk:accounts")).status_code == 404


def test_a_span_costs_the_same_however_many_payments(now: datetime, django_assert_num_queries) -> None:
    for number in range(3):
        fetched(now, item(paid(number, now), now))
    with django_assert_num_queries(3):
        assert len(movements(now - DAY, now + DAY)) == 3
    with django_assert_num_queries(6):
        statement(now - DAY, now + DAY, now=datetime(2026, 12, 1, tzinfo=UTC))
