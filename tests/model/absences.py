"""Psychologists who cannot come: time off, and what staff decide about each session in it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from backend.bookings.lifecycle import absence, choices
from backend.bookings.lifecycle.absence import Absence, AbsenceDecision
from backend.bookings.lifecycle.rescheduling import Move
from backend.core.errors import Code
from tests.model.allowance import Allowance
from tests.model.availability import HOUR, Availability, Span
from tests.model.invariants import HOLDS_SLOT
from tests.model.slot_booking import WHO
from tests.model.snapshot import Row
from tests.model.world import DESK, WHICH, World, action

# of each session in turn; a stale decision is one about a booking that has changed since the page was opened
FATES = st.lists(
    st.sampled_from(["cancel", "move", "move to a colleague", "leave", "stale", "choose"]), min_size=1, max_size=3
)
CHOOSE_WITHIN, CHOOSE_AT_LEAST = 48 * HOUR, 4 * HOUR
HOURS = st.sampled_from([2, 5, 26, 0])


class Absences(World):
    """The time off stands first; then each session moves, is called off, waits for a choice, or stays."""

    @action(needs="claims", times=2, which=WHICH, hours=HOURS, fates=FATES, colleague=WHO)
    def be_away(self, which: int, hours: int, fates: list[str], colleague: int) -> None:
        claim = self.one_of(self.seen.claims.values(), which, lambda claim: claim.blocked_from > self.now)
        off = Span(claim.psychologist_id, claim.blocked_from, claim.blocked_from + hours * HOUR)
        inside = [booking for booking in self.seen.bookings.values() if _is_within(booking, off)]
        plans = [(was, fates[n % len(fates)]) for n, was in enumerate(inside)]
        decisions = [
            self._decision(n, was, fate, off, colleague) for n, (was, fate) in enumerate(plans) if fate != "leave"
        ]
        availability, allowance, before = self.availability(), self.allowance(), self.seen
        whole = Absence(off.psychologist_id, off.start, off.end, "ill")
        did = self.do(absence.record_absence, whole, decisions, note_to_visitor="Your psychologist is ill.", **DESK)
        if hours == 0:
            did.was_refused(Code.SLOT_INVALID)
            return
        covers = [row for row in did.went_well().after.time_off.values() if _covers(row, off)]
        was_covered = any(_covers(row, off) for row in before.time_off.values())
        assert len(did.after.time_off) == len(before.time_off) + (not was_covered), "recorded twice, or never"
        assert covers, f"not off: {off}"
        availability.off.append(off)
        told = {done.booking_id: done.refused.code if done.refused else None for done in did.answer}
        for decision in decisions:
            self._is_carried_out(before.bookings[decision.booking_id], decision, told, availability, allowance)
        left = {was.id for was, fate in plans if fate in ("leave", "choose")} | {
            id_ for id_, code in told.items() if code
        }
        for booking in did.after.bookings.values():
            assert booking.id in left or not _is_within(booking, off), f"left behind in {off}: {booking}"

    @action(needs="claims", times=2, which=WHICH)
    def let_choose(self, which: int) -> None:
        claim = self.one_of(self.seen.claims.values(), which, lambda one: not self._hindrances(self._held_by(one)))
        was = self._held_by(claim)
        did = self.do(choices.offer_choice, was.id, **DESK).met(self._hindrances(was))
        after = did.after.bookings[was.id]
        assert did.code is not None or (after.choose_by > self.now and after.state == was.state), f"no choice: {after}"

    def _held_by(self, claim: Row) -> Row:
        return self.seen.bookings[claim.booking_id]

    def _decision(self, n: int, was: Row, fate: str, off: Span, colleague: int) -> AbsenceDecision:
        move = None
        if fate.startswith("move"):
            who = self.people[colleague] if fate == "move to a colleague" else None
            move = Move(off.end + (1 + n) * HOUR, who, despite_hours=n % 2 == 0)
        seen = was.ledger_sequence - (fate == "stale")
        return AbsenceDecision(was.id, seen, move, visitor_chooses=fate == "choose")

    def _is_carried_out(
        self,
        was: Row,
        decision: AbsenceDecision,
        told: dict[int, Any],
        availability: Availability,
        allowance: Allowance,
    ) -> None:
        """Decisions follow one another: what one gives back, the next may have."""
        after, code, move = self.seen.bookings[was.id], told[was.id], decision.move
        obstacles = {Code.STATE_REFUSES} if decision.seen != was.ledger_sequence else set()
        if decision.visitor_chooses:
            obstacles |= self._hindrances(was)
        if move is not None:
            who, length = move.psychologist_id or was.psychologist_id, was.slot_end - was.slot_start
            obstacles |= availability.obstacles(
                who,
                move.slot_start,
                of=was,
                length=length,
                despite_hours=move.despite_hours,
                keeps_place=who == was.psychologist_id,
            )
            if was.sponsored_month is not None and not allowance.covers(move.slot_start, besides=was):
                obstacles.add(Code.MONTH_NOT_SPONSORED)
        assert code in obstacles if obstacles else code is None, f"{code}, not one of {obstacles}: {was}"
        if code is not None:
            assert after == was, f"refused, and yet changed: {was} to {after}"
        elif decision.visitor_chooses:
            assert (after.state, after.slot_start) == (was.state, was.slot_start)
            assert self.now + CHOOSE_AT_LEAST <= after.choose_by <= self.now + CHOOSE_WITHIN, f"no choice: {after}"
        elif move is None:
            assert (after.state, after.reason) == ("CANCELLED", "by_staff")
            assert self.seen.held(was.id) == 0, f"our absence, and money was kept: {was}"
            del availability.held[was.id]
            allowance.give_back(was)
        else:
            assert (after.state, after.psychologist_id, after.slot_start) == (was.state, who, move.slot_start)
            availability.hold(was.id, who, move.slot_start, length)
            allowance.move(was, move.slot_start)

    def _hindrances(self, was: Row) -> set[Code]:
        """Why the visitor cannot be asked to choose."""
        if was.choose_by is not None:
            return {Code.CHOICE_OPEN}
        ends_at = min(self.now + CHOOSE_WITHIN, was.slot_start - 2 * HOUR)
        return {Code.CHOICE_TOO_NEAR} if ends_at - self.now < CHOOSE_AT_LEAST else set()


def _is_within(booking: Row, off: Span) -> bool:
    """Whether any part of a promised session is in the time off."""
    if booking.state not in HOLDS_SLOT:
        return False
    return Span(booking.psychologist_id, booking.slot_start, booking.slot_end).meets(off)


def _covers(row: Row, off: Span) -> bool:
    return row.psychologist_id == off.psychologist_id and row.starts_at <= off.start and off.end <= row.ends_at
