"""Records are found by whole ids, and lists are counted some pages ahead."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from backend.accounts.roles import OWNER
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.desk.booking.page import BookingAdmin
from backend.desk.long_lists import PAGES_AHEAD, LookaheadPaginator
from backend.payments.models import InboxEvent, Payment
from tests.support import roles, scenarios
from tests.support.admin_site import logged_in
from tests.support.factories import make_booking
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]


@pytest.fixture
def owner() -> Browser:
    return logged_in(roles.account(OWNER))


def found(browser: Browser, path: str, word: str) -> list[object]:
    answer = browser.get(f"/admin/{path}/", {"q": word})
    assert answer.status_code == 200
    return list(answer.context_data["cl"].result_list)


def test_payments_are_found_by_any_whole_id(owner: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(ASHA, now=now)
    scenarios.confirmed(RAVI, now=now, at=scenarios.slot_tomorrow(now, 15))
    payment = booking.payments.get()
    misread = str(booking).lower().replace("1", "l")
    for word in (str(booking), misread, payment.reference, f" {payment.reference.lower()} ", payment.capture_id):
        assert found(owner, "payments/payment", word) == [payment], word
    assert found(owner, "payments/payment", payment.reference[:-1]) == []
    assert len(found(owner, "payments/payment", "")) == Payment.objects.count() == 2


@pytest.mark.sqlite_only
def test_what_belongs_to_a_booking_is_found_by_its_id(owner: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(ASHA, now=now)
    payment = booking.payments.get()
    event = InboxEvent.objects.create(
        gateway="sandbox", event_id="evt_1", kind="captured", payment_reference=payment.reference, received_at=now
    )
    assert found(owner, "payments/inboxevent", str(booking)) == [event]
    assert found(owner, "payments/inboxevent", "evt_1") == [event]
    for path in ("bookings/ledgerentry", "bookings/slotclaim", "outbox/message"):
        rows = found(owner, path, str(booking))
        assert {row.booking_id for row in rows} == {booking.pk}
        assert found(owner, path, "MS-000000") == []
    assert found(owner, "bookings/ledgerentry", "verify")  # other words as ever


@pytest.mark.sqlite_only
def test_a_list_is_counted_some_pages_ahead() -> None:
    paginator = LookaheadPaginator(Payment.objects.all(), 50)
    assert (paginator.count, paginator.is_more) == (0, False)
    assert paginator._far() == (1 + PAGES_AHEAD) * 50 + 1
    paginator.at_page = 3
    assert paginator._far() == (3 + PAGES_AHEAD) * 50 + 1


def test_a_page_that_ends_its_list_is_not_counted(owner: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    with CaptureQueriesContext(connection) as captured:
        changes = owner.get("/admin/bookings/ledgerentry/").context_data["cl"]
    assert changes.result_count == booking.ledger.count()
    assert not [query for query in captured if "COUNT(" in query["sql"]]
    assert sum('FROM "bookings_ledgerentry"' in query["sql"] for query in captured) == 1  # nor read twice
    behind = owner.get("/admin/bookings/ledgerentry/?p=2").context_data["cl"]  # its second page is empty since
    assert len(behind.result_list) == behind.result_count == booking.ledger.count()


def test_a_search_looks_one_row_ahead(now: datetime) -> None:
    for number in range(4):
        make_booking(State.PENDING, now=now, email=f"v{number}@example.org")
    paginator = LookaheadPaginator(Booking.objects.order_by("-pk"), 2)
    paginator.ahead = 0
    assert (len(paginator.shown), paginator.count, paginator.is_more) == (2, 3, True)
    paginator = LookaheadPaginator(Booking.objects.order_by("-pk"), 2)
    paginator.ahead, paginator.at_page = 0, 2
    assert (list(paginator.page(2)), paginator.count, paginator.is_more) == (paginator.shown, 4, False)


def test_a_box_to_mark_a_row_is_as_djangos(now: datetime) -> None:
    booking, page = make_booking(State.PENDING, now=now), BookingAdmin(Booking, admin.site)
    assert page.action_checkbox(booking) == ModelAdmin.action_checkbox(page, booking)
