"""Records are found by whole ids, and lists are counted some pages ahead."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client as Browser

from backend.accounts.roles import OWNER
from backend.desk.long_lists import PAGES_AHEAD, LookaheadPaginator
from backend.payments.models import InboxEvent, Payment
from tests.support import roles, scenarios
from tests.support.admin_site import logged_in
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
