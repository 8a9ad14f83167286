"""Staff who take their last decision back, in time or too late."""

from __future__ import annotations

from datetime import timedelta

from backend.bookings.lifecycle import undo
from backend.core.errors import Code
from tests.model.invariants import ACTIVE, BUFFER, HOLDS_SLOT, refunds_of
from tests.model.slot_booking import SlotBooking
from tests.model.snapshot import Row
from tests.model.world import DESK, WHICH, action

WINDOW = timedelta(minutes=1)


class Undoing(SlotBooking):
    """What nobody was told of is as if it had not been."""

    @action(needs="bookings", times=2, which=WHICH)
    def undo(self, which: int) -> None:
        was = self.one_of(self.seen.bookings.values(), which, self._can_be_undone)
        last = self.seen.ledger_of(was.id)[-1]
        obstacles = self._obstacles_to_undo(was, last) if self._can_be_undone(was) else {Code.UNDO_CLOSED}
        did = self.do(undo.undo_decision, was.id, **DESK).met(obstacles)
        if did.code is not None:
            return
        booking = did.after.bookings[was.id]
        assert booking.state == {"PAYMENT_PENDING": "APPROVED"}.get(last.source, last.source), f"undone to {booking}"
        assert booking.undo_until is None, f"undone twice: {booking}"
        left = [m for m in did.after.messages.values() if self._is_owed_by(m, last) and m.state == "waiting"]
        assert not left, f"told of what was undone: {left}"
        back = sum(did.after.refunds[number].amount_paise for number in refunds_of(last))
        assert did.after.held(was.id) >= back, "money went"

    def _can_be_undone(self, booking: Row) -> bool:
        is_in_time = booking.undo_until is not None and self.now < booking.undo_until <= self.now + WINDOW
        return is_in_time and booking.purged_at is None

    @staticmethod
    def _is_owed_by(message: Row, entry: Row) -> bool:
        spoken_of = (entry.booking_id, entry.sequence, entry.at)
        return (message.booking_id, message.ledger_sequence, message.created_at) == spoken_of

    def _obstacles_to_undo(self, was: Row, last: Row) -> set[Code]:
        found = set()
        offered = [row for row in self.seen.alternatives.values() if row.booking_id == was.id]
        begun = [m for m in self.seen.messages.values() if self._is_owed_by(m, last) and m.attempts]
        if begun or any(row.taken_by_id for row in offered):
            found.add(Code.UNDO_CLOSED)
        if was.state not in ACTIVE and was.origin == "visitor" and self._has_another_request(was):
            found.add(Code.ALREADY_ACTIVE)
        if last.source in HOLDS_SLOT and self._slot_is_anothers(was):
            found.add(Code.SLOT_TAKEN)
        if last.details.get("returned_to_sponsor") and not self.allowance().covers(was.slot_start, besides=was):
            found.add(Code.SPONSOR_DOES_NOT_COVER)
        return found

    def _has_another_request(self, was: Row) -> bool:
        rows = self.seen.bookings.values()
        return any(b.client_id == was.client_id and b.origin == "visitor" and b.state in ACTIVE for b in rows)

    def _slot_is_anothers(self, was: Row) -> bool:
        return any(
            claim.psychologist_id == was.psychologist_id
            and claim.blocked_from < was.slot_end + BUFFER
            and claim.blocked_until > was.slot_start
            for claim in self.seen.claims.values()
        )
