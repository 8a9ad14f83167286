"""Many at once, through HTTP on PostgreSQL: locks in one order, one winner, no deadlock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import requests
from django.db import connection  # noqa: F401  # the mark reads it

from backend.bookings.machine import ACTIVE, Reason, State
from backend.bookings.models import Booking, LedgerEntry
from tests.demo.site import form
from tests.support import scenarios
from tests.support.races import CROWD, POSTGRES_ONLY, at_once
from tests.support.scenarios import ASHA

pytestmark = POSTGRES_ONLY
DRAFTS = CROWD // 2


def test_of_many_simultaneous_drafts_and_verifications_of_one_address_one_booking_is_active(
    site: str, record_property: Callable[[str, object], None]
) -> None:
    def submit(number: int) -> int:
        body = form(ASHA, "Asha Rao", user_message=str(number))
        return requests.post(f"{site}/api/bookings/draft/", json=body, timeout=60).status_code

    def verify(token: str) -> int:
        return requests.post(f"{site}/api/bookings/verify-email/", json={"token": token}, timeout=60).status_code

    assert set(at_once([partial(submit, number) for number in range(DRAFTS)], DRAFTS)) == {201}
    tokens = [scenarios.token_of(draft) for draft in Booking.objects.filter(email=ASHA)]
    statuses = Counter(at_once([partial(verify, token) for token in tokens], DRAFTS))
    assert statuses == {200: 1, 410: DRAFTS - 1}
    active = Booking.objects.filter(email=ASHA, state__in=ACTIVE).count()
    record_property(f"figure: active bookings after {DRAFTS} simultaneous drafts and verifications", f"{active} of 1")
    assert active == 1
    assert Booking.objects.filter(email=ASHA, state=State.CANCELLED, reason=Reason.SUPERSEDED).count() == DRAFTS - 1
    assert LedgerEntry.objects.filter(source=State.DRAFT).count() == DRAFTS
