"""Who is missed after a fault."""

from __future__ import annotations

from tests.chaos.faults import Kind
from tests.chaos.journal import Happened
from tests.chaos.signs_of_life import SignsOfLife


def test_a_worker_is_missed_when_no_sign_followed_a_fault_within_a_minute() -> None:
    seen = SignsOfLife(["mail@node-1", "mail@node-2"])
    seen.signs["mail@node-1"] |= {90.0, 159.0}
    seen.signs["mail@node-2"] |= {90.0, 161.0}
    assert seen.silent_after(Happened(Kind.BEAT, "beat", at=80.0, until=100.0)) == ["mail@node-2"]
