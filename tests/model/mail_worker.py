"""What the mail worker does: reads each due notice again, and writes only what is true when it leaves."""

from __future__ import annotations

from hypothesis import strategies as st

from backend.bookings import links
from backend.notifications import delivery
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from tests.model.invariants import ACTIVE, FINAL, HOLDS_SLOT
from tests.model.relations import OFFERED_FOR
from tests.model.snapshot import Row
from tests.model.world import World, action

PROVED = ACTIVE | FINAL
OF_NOBODY = Row(id=None, mode="ONLINE")  # whose own hold is no obstacle: none
# a mail that says so in another state would not be true
TRUE_IN = {
    "draft_submitted": {"DRAFT"},
    "draft_still_unverified": {"DRAFT"},
    "draft_lapsed": {"CANCELLED"},
    "already_booked": ACTIVE,
    "booking_received": {"PENDING"},
    "answer_late": {"PENDING"},
    "staff_booking_received": {"PENDING"},
    "staff_booking_waiting": {"PENDING"},
    "manager_booking_overdue": {"PENDING"},
    "booking_unanswered": {"CANCELLED"},
    "booking_rejected": {"REJECTED"},
    "booking_approved": {"APPROVED", "PAYMENT_PENDING"},
    "payment_still_due": {"APPROVED"},
    "payment_attempt_failed": {"APPROVED"},
    "payment_timed_out": {"CANCELLED", "PAYMENT_FAILED"},
    "late_payment_booked": {"CONFIRMED"},
    "booking_confirmed": {"CONFIRMED"},
    "booking_moved": HOLDS_SLOT,
    "session_approaching": {"CONFIRMED"},
    "session_imminent": {"CONFIRMED"},
    "cancellation_requested": ACTIVE,
    "staff_cancellation_requested": ACTIVE,
    "cancellation_lapsed": ACTIVE,
    "booking_cancelled": {"CANCELLED"},
    "psychologist_session_confirmed": {"CONFIRMED"},
    "psychologist_session_moved": {"CONFIRMED"},
}


class MailWorker(World):
    """The outbox is worked off, at the model's clock, up to the provider's door."""

    @action(batches=st.integers(1, 3))
    def deliver(self, batches: int) -> None:
        """Some batches of what is due."""
        for _ in range(batches):
            for message in messages.claim(Queue.MAIL, now=self.now):
                self._deliver(message)
        self.look()

    def _deliver(self, message: Message) -> None:
        if messages.waits_for_older(message, now=self.now):
            messages.hand_back([message])
            return
        assert messages.begin_attempt(message, now=self.now)
        context = delivery.prepare(message, now=self.now)
        if context is None:
            messages.settle(message, MessageState.OBSOLETE, now=self.now)
            return
        if message.context is None:
            messages.freeze(message, context, now=self.now)
        mail = delivery.compose(message, links.tokens_of(message.uuid))
        assert mail.to == [message.recipient]
        booking = self.seen.bookings.get(message.booking_id or 0)
        self._is_true(message, booking)
        if message.kind == "booking_rejected" and booking is not None:
            self._offers_what_is_free(booking, {row["number"] for row in context["alternatives"]})
        messages.settle(message, MessageState.DONE, now=self.now)
        self.worked()

    def _offers_what_is_free(self, rejected: Row, numbers: set[int]) -> None:
        """What somebody else has by now is left out."""
        offered = [row for row in self.seen.alternatives.values() if row.booking_id == rejected.id]
        if any(row.taken_by_id for row in offered):
            return  # nobody can take one before the mail leaves, but the model can
        availability, is_open = self.availability(), rejected.closed_at + OFFERED_FOR > self.now
        free = {
            row.number
            for row in offered
            if is_open
            and not availability.obstacles(row.psychologist_id, row.slot_start, of=OF_NOBODY, despite_hours=True)
        }
        assert numbers == free, f"offers {numbers} of {offered}, and {free} are free"

    def _is_true(self, message: Message, booking: Row | None) -> None:
        if booking is None:
            assert message.kind == "nothing_open", f"about no booking: {message.kind}"
            return
        states = TRUE_IN.get(message.kind, PROVED)
        assert booking.state in states, f"{message.kind} says of {booking} what is not so"
        has_begun = booking.slot_start is not None and booking.slot_start <= self.now
        if message.kind in ("session_approaching", "session_imminent"):
            assert not has_begun, f"reminds of what has begun: {booking}"
