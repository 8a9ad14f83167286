"""Random visitors, staff, money and clocks never bring a booking to where the design does not allow it."""

from __future__ import annotations

import pytest

from backend.bookings import slots
from backend.bookings.machine import State
from tests.model import life
from tests.model.tally import Tally

ROUNDS_MOST = 4  # one after the other until everything was called; today the first is enough


@pytest.mark.django_db
@pytest.mark.timeout(600)  # seconds; a failure is shrunk for minutes
def test_no_interleaving_breaks_the_design() -> None:
    tally = life.Life.tally = Tally()
    for seed in range(ROUNDS_MOST):
        life.run(seed=seed)
        if set(tally.called) >= life.intents() and set(tally.entered) == set(State):
            break
    assert set(tally.called) >= life.intents(), "an intent without a rule: give it one in tests/model"
    assert set(tally.entered) == set(State)
    assert tally.examples >= life.EXAMPLES
    assert tally.steps >= life.EXAMPLES * life.TURNS // 2


@pytest.mark.django_db
def test_a_slot_that_is_never_given_back_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "release", lambda booking: None)
    with pytest.raises(AssertionError, match="claims: "):
        life.run(seed=0, shrinks=False)
