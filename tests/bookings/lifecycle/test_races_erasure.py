"""Somebody asks anew while they are erased: whoever comes second finds the person gone, and begins with a new one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import pytest
from django.db import close_old_connections, connection, transaction

from backend.bookings import policy
from backend.bookings.lifecycle import erasure, visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.errors import Code, Refused
from backend.people.models import Client
from tests.support import erasures, scenarios
from tests.support.races import POSTGRES_ONLY
from tests.support.scenarios import ASHA

pytestmark = [*POSTGRES_ONLY, pytest.mark.usefixtures("sandbox_payments")]


def beside_an_erasure(call: Callable[[], object], request_id: int, *, now: datetime) -> object:
    """What the call answers, or why not: it waits for the client until the erasure is committed."""

    def called() -> object:
        try:
            return call()
        except Refused as refused:
            return refused.code
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            list(Client.objects.select_for_update().filter(data_requests=request_id))
            answer = other.submit(called)
            _wait_until_it_waits()
            erasure.carry_out(request_id, now=now)
        return answer.result(timeout=30)


def _wait_until_it_waits() -> None:
    for _ in range(2000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.005), EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[1]:
                return
    raise AssertionError("nobody waits")


def test_a_request_in_that_moment_begins_with_a_new_client(now: datetime) -> None:
    booking = scenarios.rejected(now=now)
    request = erasures.proved(booking, now=now)
    day = now + policy.ERASURE_AFTER
    beside_an_erasure(partial(visitor.submit_draft, scenarios.draft_of(now=day), now=day), request.pk, now=day)
    draft = Booking.objects.get(email=ASHA)
    assert (draft.state, draft.client_id == booking.client_id) == (State.DRAFT, False)
    assert scenarios.again(booking).client is None


def test_a_draft_that_is_proved_in_that_moment_is_unknown(now: datetime) -> None:
    request = erasures.proved(scenarios.rejected(now=now), now=now)
    day = now + policy.ERASURE_AFTER
    draft = scenarios.submitted(now=day)
    proves = partial(visitor.verify_email, scenarios.token_of(draft), now=day)
    assert beside_an_erasure(proves, request.pk, now=day) == Code.BOOKING_UNKNOWN
    assert scenarios.again(draft).state == State.CANCELLED
