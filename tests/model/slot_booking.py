"""What settling a session must come to, whoever settles it: who may have it then, who pays, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from backend.core.errors import Code
from tests.model.allowance import Allowance, month_of
from tests.model.availability import HOUR, Availability, time_to_pay
from tests.model.snapshot import Row
from tests.model.world import World

# hours from now, on the hour: near enough to be refused, near, inside the last day, and ahead; they meet often
WHEN = st.one_of(
    st.sampled_from([26, 27, 50, 200, 30, 5, 2, 1]).map(lambda hours: timedelta(hours=hours)),
    st.sampled_from([40, 20, -60]).map(lambda minutes: timedelta(minutes=minutes)),
)
# minutes from the start of a session that is promised: the same, overlapping, ending with its pause, beginning after it
BESIDE = st.none() | st.sampled_from([0, 30, 74, 75, -74, -75])
WHO = st.integers(0, 2)
AMOUNT = st.sampled_from([None, None, None, 120_000, 0, -1])


@dataclass(frozen=True)
class Expectation:
    """Why a session cannot be, or else what it becomes."""

    obstacles: set[Code]
    state: str
    is_sponsored: bool  # and so counted


@dataclass(frozen=True)
class Wanted:
    """A session that somebody wants: with whom, when, for how much, and at what staff would look twice."""

    who: int
    start: datetime
    amount: int
    length: timedelta = HOUR
    despite_hours: bool = False
    may_ask: bool = False  # the visitor to pay, where the sponsor has nothing left
    keeps_place: bool = False
    is_new: bool = False  # beside the request that it comes from


class SlotBooking(World):
    """Judges before, and compares after."""

    def expect(
        self,
        wanted: Wanted,
        of: Row,
        corporate_id: int | None,
        availability: Availability | None = None,
        allowance: Allowance | None = None,
    ) -> Expectation:
        """What must become of a session of this request, or after it."""
        is_covered = (allowance or self.allowance()).covers(wanted.start)
        is_named = corporate_id is not None and wanted.amount > 0
        is_due_there = (of.mode, of.payment_mode) == ("OFFLINE", "OFFLINE")
        must_pay = wanted.amount > 0 and not is_due_there and not (is_named and is_covered)
        obstacles = (availability or self.availability()).obstacles(
            wanted.who,
            wanted.start,
            of=of,
            is_new=wanted.is_new,
            length=wanted.length,
            despite_hours=wanted.despite_hours,
            must_pay=must_pay,
            keeps_place=wanted.keeps_place,
        )
        if wanted.amount < 0:
            obstacles.add(Code.AMOUNT_INVALID)
        if is_named and not is_covered and not wanted.may_ask:
            obstacles.add(Code.SPONSOR_DOES_NOT_COVER)
        return Expectation(obstacles, "APPROVED" if must_pay else "CONFIRMED", is_named and is_covered)

    def is_as_expected(self, booking: Row, wanted: Wanted, expectation: Expectation) -> None:
        """Raises AssertionError when it was settled otherwise."""
        settled = (booking.psychologist_id, booking.slot_start, booking.slot_end, booking.amount_paise)
        assert settled == (wanted.who, wanted.start, wanted.start + wanted.length, wanted.amount), f"{booking}"
        month = month_of(wanted.start) if expectation.is_sponsored else None
        assert (booking.state, booking.sponsored_month) == (expectation.state, month), f"not {expectation}: {booking}"
        if expectation.state == "APPROVED":
            by_formula = time_to_pay(wanted.start, now=self.now, is_follow_up=booking.follows_id is not None)
            assert booking.pay_by == by_formula, f"another time to pay: {booking}"

    def start(self, when: timedelta, beside: int | None) -> datetime:
        """When a session shall be: on the hour, or beside a session that is promised already."""
        claims = [claim for claim in self.seen.claims.values() if claim.blocked_from > self.now]
        if beside is not None and claims:
            start: datetime = claims[0].blocked_from + timedelta(minutes=beside)
            return start
        return (self.now + when).replace(minute=0 if when >= HOUR else self.now.minute)
