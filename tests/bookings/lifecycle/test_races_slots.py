"""Who gets the free slots when many are approved by themselves at once, through HTTP on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial

import requests
from django.db import connection  # noqa: F401  # the mark reads it
from django.utils import timezone

from backend.bookings.models import Booking, SlotClaim
from backend.core.formatting import practice_zone
from tests.support import scenarios, working_hours
from tests.support.races import CROWD, POSTGRES_ONLY, at_once, staff_headers

pytestmark = POSTGRES_ONLY


def test_of_many_automatic_approvals_at_once_each_slot_goes_to_one_and_none_stays_free(site: str) -> None:
    now = timezone.now()
    day = (now.astimezone(practice_zone()) + timedelta(days=5)).date()
    for name in ("Dr. A", "Dr. B"):
        working_hours.psychologist(name, hours="08:00 12:00", session_minutes=60, buffer_minutes=0)
    ids = [scenarios.pending(f"v{n}@example.org", now=now, preferred_date=day).acknowledgement_id for n in range(CROWD)]
    headers = staff_headers()

    def approve(acknowledgement_id: str) -> requests.Response:
        address = f"{site}/api/staff/bookings/{acknowledgement_id}/approve/"
        return requests.post(address, json={"auto": True}, headers=headers, timeout=60)

    answers = at_once([partial(approve, acknowledgement_id) for acknowledgement_id in ids])
    assert Counter(answer.status_code for answer in answers) == {200: 8, 409: CROWD - 8}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"no_free_slot"}
    assert SlotClaim.objects.count() == 8
    starts = Booking.objects.exclude(slot_start=None).values_list("psychologist", "slot_start")
    assert len(set(starts)) == 8
    assert {start.astimezone(practice_zone()).date() for _, start in starts} == {day}
