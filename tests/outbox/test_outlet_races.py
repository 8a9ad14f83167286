"""What workers know of a mail provider together, when many learn it at once: PostgreSQL, a connection each."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from backend.outbox import outlets
from backend.outbox.models import OutletState
from backend.outbox.outlet_models import Outlet
from tests.support.races import CROWD, POSTGRES_ONLY, at_once

pytestmark = POSTGRES_ONLY
NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ROUNDS = 5  # a race is lost by chance


def clear() -> None:
    OutletState.objects.all().delete()


def test_of_many_first_failures_one_is_remembered() -> None:
    for _ in range(ROUNDS):
        clear()
        moments = [NOW + number * SECOND for number in range(CROWD)]
        at_once([partial(outlets.note_refused, f"at {moment}", now=moment) for moment in moments])
        kept = OutletState.objects.get()
        assert kept.refused_since in moments
        assert kept.reason == f"at {kept.refused_since}"
        assert kept.probe_at == kept.refused_since + outlets.FALLBACK_AFTER + outlets.PROBE_EVERY


def test_a_first_failure_is_remembered_beside_turns_that_make_the_row_meanwhile() -> None:
    for _ in range(4 * ROUNDS):
        clear()
        turns = [partial(outlets.reserve, Outlet.FIRST, 1, per_second=50, now=NOW)] * 4
        at_once([*turns[:2], partial(outlets.note_refused, "down", now=NOW), *turns[2:]])
        assert OutletState.objects.get().refused_since == NOW


def test_a_failure_that_goes_on_keeps_its_beginning_whoever_meets_it() -> None:
    outlets.note_refused("down", now=NOW)
    later = [partial(outlets.note_refused, "still", now=NOW + number * SECOND) for number in range(1, CROWD)]
    at_once(later)
    kept = OutletState.objects.get()
    assert (kept.refused_since, kept.reason) == (NOW, "down")


def test_of_many_that_would_try_the_first_again_one_does() -> None:
    for _ in range(ROUNDS):
        clear()
        outlets.note_refused("down", now=NOW)
        due = NOW + outlets.FALLBACK_AFTER + outlets.PROBE_EVERY
        assert sum(at_once([partial(outlets.begins_probe, now=due)] * CROWD)) == 1
        assert sum(at_once([partial(outlets.begins_probe, now=due + SECOND)] * CROWD)) == 0
        assert OutletState.objects.get().probe_at == due + outlets.PROBE_EVERY


def test_success_and_failure_at_once_leave_one_of_both_and_no_mixture() -> None:
    for number in range(ROUNDS):
        outlets.note_refused("before", now=NOW)
        calls = [outlets.note_taken] * CROWD + [
            partial(outlets.note_refused, "down", now=NOW + number * SECOND)
        ] * CROWD
        random.shuffle(calls)
        at_once(calls)
        kept = OutletState.objects.get()
        is_refused = kept.refused_since is not None
        assert (bool(kept.reason), kept.probe_at is not None) == (is_refused, is_refused)


def test_turns_that_are_taken_at_once_follow_each_other() -> None:
    per_second = 50
    asked = [partial(outlets.reserve, Outlet.FIRST, 1, per_second=per_second, now=NOW)] * CROWD
    given = at_once(asked)
    assert sorted(given) == [NOW + number * SECOND / per_second for number in range(CROWD)]


def test_who_would_wait_too_long_is_given_none_and_takes_none() -> None:
    given = at_once([partial(outlets.reserve, Outlet.FALLBACK, 20, per_second=20, now=NOW)] * CROWD)
    assert sorted(one for one in given if one is not None) == [NOW, NOW + SECOND, NOW + 2 * SECOND]
    assert OutletState.objects.get().next_at == NOW + 3 * SECOND


@pytest.mark.parametrize("outlet", Outlet)
def test_both_providers_have_turns_of_their_own(outlet: Outlet) -> None:
    calls = [partial(outlets.reserve, one, 10, per_second=10, now=NOW) for one in Outlet]
    assert at_once(calls) == [NOW, NOW]
    assert OutletState.objects.get(outlet=outlet).next_at == NOW + SECOND
