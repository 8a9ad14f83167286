"""Which round of comparing must have booked a capture that no event told."""

from __future__ import annotations

from tests.chaos.rounds import Rounds


def test_a_capture_is_booked_by_the_first_round_that_began_after_it_and_came_to_its_end() -> None:
    seen = Rounds()
    seen.ended = {100.0: 104.0, 130.0: 131.0, 120.0: 125.0}
    assert [seen.first_after(at) for at in (99.0, 100.0, 122.0, 130.0)] == [104.0, 125.0, 131.0, None]
