"""Random visitors, staff, money and clocks never bring a booking to where the design does not allow it."""

from __future__ import annotations

import pytest

from backend.bookings.machine import State
from backend.scheduling import claims
from tests.model import lifecycle
from tests.model.coverage import Coverage

SEEDS = (0, 4, 1, 2, 3, 5, 6, 7)  # a round each until everything was called, which the first two do as a rule


@pytest.mark.django_db
@pytest.mark.postgres_only
@pytest.mark.timeout(600)  # seconds; a failure is shrunk for minutes
def test_no_interleaving_breaks_the_design() -> None:
    coverage = lifecycle.Lifecycle.coverage = Coverage()
    for seed in SEEDS:
        lifecycle.run(seed=seed)
        if set(coverage.called) >= lifecycle.intents() and set(coverage.entered) == set(State):
            break
    assert set(coverage.called) >= lifecycle.intents(), "an intent without a rule: give it one in tests/model"
    assert set(coverage.entered) == set(State)
    assert coverage.examples >= lifecycle.EXAMPLES
    assert coverage.steps >= lifecycle.EXAMPLES * lifecycle.TURNS // 2


@pytest.mark.django_db
def test_a_slot_that_is_never_given_back_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "release_claim", lambda booking: None)
    with pytest.raises(AssertionError, match="claims: "):
        lifecycle.run(seed=0, shrinks=False)
