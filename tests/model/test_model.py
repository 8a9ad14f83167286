"""Random visitors, staff, money and clocks never bring a booking to where the design does not allow it."""

from __future__ import annotations

import pytest

from backend.scheduling import claims
from tests.model import lifecycle
from tests.model.coverage import Coverage

# a round each until every intent was called, which the first two do: a round costs as much as hundreds of other
# tests. That every state is reached and every rule does something is asked by `make model`, of its thousands of steps
SEEDS = (300, 313, 314, 311, 308)


@pytest.mark.django_db
@pytest.mark.postgres_only
@pytest.mark.timeout(600)  # seconds; a failure is shrunk for minutes
def test_no_interleaving_breaks_the_design() -> None:
    coverage = lifecycle.Lifecycle.coverage = Coverage()
    for seed in SEEDS:
        lifecycle.run(seed=seed)
        if set(coverage.called) >= lifecycle.intents():
            break
    assert set(coverage.called) >= lifecycle.intents(), "an intent without a rule: give it one in tests/model"
    assert coverage.examples >= lifecycle.EXAMPLES
    assert coverage.steps >= lifecycle.EXAMPLES * lifecycle.TURNS // 2


@pytest.mark.django_db
def test_a_slot_that_is_never_given_back_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "release_claim", lambda booking: None)
    with pytest.raises(AssertionError, match="claims: "):
        lifecycle.run(seed=0, shrinks=False)
