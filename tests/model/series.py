"""All of a series at once: moved or called off by staff, whole or not at all, just as it was shown before."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from backend.bookings.lifecycle import series
from backend.bookings.lifecycle.cancellation import CalledOffBy
from backend.core.errors import Code
from tests.model.invariants import HOLDS_SLOT
from tests.model.snapshot import Row
from tests.model.world import DESK, WHICH, Result, World, action

SHIFTS = st.sampled_from([timedelta(days=7), timedelta(days=1), timedelta(hours=-1), timedelta(0)])


class SeriesActs(World):
    """What is ahead of the series that a session belongs to; of most sessions, itself."""

    @action(needs="claims", which=WHICH, shift=SHIFTS, despite_hours=st.booleans())
    def move_series(self, which: int, shift: timedelta, despite_hours: bool) -> None:
        was, members = self._one_of_a_series(which)
        first = min((one.slot_start for one in members), default=was.slot_start)
        move = series.SeriesMove(first + shift, despite_hours=despite_hours)
        tried = self.do(series.preview_move, was.id, move, **DESK)
        did = self.do(series.move_series, was.id, move, **DESK)
        if not members or not shift:
            did.was_refused(Code.STATE_REFUSES if not members else Code.SLOT_INVALID)
            return
        assert _codes(tried) == _codes(did.went_well()), "not as it was shown"
        is_whole = not any(_codes(did).values())
        assert did.changed == is_whole, f"a part of it moved: {_codes(did)}"
        for one in members:
            start = one.slot_start + (shift if is_whole else timedelta(0))
            assert did.after.bookings[one.id].slot_start == start, f"not moved by {shift}: {one}"

    @action(needs="claims", which=WHICH, by=st.sampled_from(CalledOffBy))
    def cancel_series(self, which: int, by: CalledOffBy) -> None:
        was, members = self._one_of_a_series(which)
        terms = series.SeriesCancellation(called_off_by=by)
        self.do(series.preview_cancellation, was.id, terms, **DESK)
        did = self.do(series.cancel_series, was.id, terms, **DESK)
        if not members:
            did.was_refused(Code.STATE_REFUSES)
            return
        gone = {one.id for one in members}
        for one in did.went_well().before.bookings.values():
            state = "CANCELLED" if one.id in gone else one.state
            assert did.after.bookings[one.id].state == state, f"{one} is of another act, or was left out"

    def _one_of_a_series(self, which: int) -> tuple[Row, list[Row]]:
        claim = self.one_of(self.seen.claims.values(), which, lambda claim: claim.blocked_from > self.now)
        was = self.seen.bookings[claim.booking_id]

        def belongs(one: Row) -> bool:
            is_same_act = was.follows_id is not None and one.follows_id == was.follows_id
            return one.id == was.id or (is_same_act and one.created_at == was.created_at)

        rows = [one for one in self.seen.bookings.values() if one.state in HOLDS_SLOT and one.slot_start > self.now]
        return was, [one for one in rows if belongs(one)]


def _codes(did: Result) -> dict[int, Code | None]:
    return {step.was.pk: step.refused.code if step.refused else None for step in did.answer}
