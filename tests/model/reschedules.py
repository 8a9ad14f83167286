"""Visitors who move their session by the mailed link, to what is offered or to what is not."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st

from backend.bookings import links
from backend.bookings.lifecycle import rescheduling
from backend.core.errors import Code
from tests.model.availability import days_from, grid
from tests.model.invariants import HOLDS_SLOT
from tests.model.relations import MOVES_MOST
from tests.model.snapshot import Row
from tests.model.step_invariants import NOTICE
from tests.model.world import WHICH, World, action

A_WEEK = 7
# one of those that are offered, mostly; or one of the hours, offered or not; or a time that is in no hours
PICK = st.one_of(
    st.tuples(st.just("offered"), st.integers(0, 20)),
    st.tuples(st.just("offered"), st.integers(0, 20)),
    st.tuples(st.sampled_from(["of the hours", "between", "of somebody without hours"]), st.integers(0, 40)),
)


class Reschedules(World):
    """Twice, a day ahead, and only where it is free."""

    @action(needs="reschedule", times=3, which=WHICH, pick=PICK)
    def move_by_visitor(self, which: int, pick: tuple[str, int]) -> None:
        most = max((self._moves(link) for link in self.seen.reschedule if self._is_open(link)), default=0)
        link = self.one_of(self.seen.reschedule, which, lambda one: self._is_open(one) and self._moves(one) == most)
        was = self.seen.bookings[link.booking_id]
        offered = self.availability().offered(was, days_from(self.now, A_WEEK))
        who, start = self._picked(pick, offered)
        is_offered = who == self.people.by_hours and start in offered
        obstacles = self._reasons(link, was, start) | (set() if is_offered else {Code.SLOT_TAKEN})
        token = links.token_of(link.message_uuid, link.purpose)
        did = self.do(rescheduling.reschedule_by_visitor, token, rescheduling.SlotChoice(who, start))
        if link.spent_at is not None:
            assert not did.went_well().changed, "one link moved twice"
            return
        did.met(obstacles)
        if did.code is None:
            now = did.after.bookings[was.id]
            assert (now.psychologist_id, now.slot_start) == (who, start), f"moved elsewhere: {now}"
            assert did.after.links[link.id].spent_at == self.now
            assert did.after.payments == did.before.payments, "a move touched the money"

    def _picked(self, pick: tuple[str, int], offered: list[datetime]) -> tuple[int, datetime]:
        how, number = pick
        if how == "offered" and offered:
            return self.people.by_hours, offered[number % len(offered)]
        starts = [at for day in days_from(self.now, A_WEEK) for at in grid(day)]
        start = starts[number % len(starts)] + (timedelta(minutes=5) if how == "between" else timedelta(0))
        return (self.people.anywhere if how == "of somebody without hours" else self.people.by_hours), start

    def _reasons(self, link: Row, was: Row, start: datetime) -> set[Code]:
        """Why this link does not move the session, wherever to."""
        if was.state not in HOLDS_SLOT:
            return {Code.STATE_REFUSES}
        is_late = self.now > was.slot_start - NOTICE
        is_counted = was.sponsored_month is not None
        reasons = {
            Code.MOVES_USED_UP: was.choose_by is None and was.moves_by_visitor >= MOVES_MOST,
            Code.MOVE_TOO_LATE: was.choose_by is None and is_late,
            Code.LINK_EXPIRED: link.expires_at <= self.now,
            Code.MONTH_NOT_SPONSORED: is_counted and not self.allowance().covers(start, besides=was),
        }
        return {code for code, holds in reasons.items() if holds}

    def _is_open(self, link: Row) -> bool:
        """But for the number of moves, which few bookings would reach otherwise."""
        was = self.seen.bookings[link.booking_id]
        reasons = self._reasons(link, was, was.slot_start or self.now)
        return link.spent_at is None and reasons <= {Code.MOVES_USED_UP}

    def _moves(self, link: Row) -> int:
        found: int = self.seen.bookings[link.booking_id].moves_by_visitor
        return found
