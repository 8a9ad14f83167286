"""What staff do at their desk."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st

from backend.bookings.lifecycle import cancellation, desk, refunds, staff
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.machine import State
from backend.bookings.models import Outcome
from backend.errors import Code
from tests import story
from tests.model.invariants import ACTIVE, BUFFER, HOLDS_SLOT
from tests.model.picture import Picture, Row
from tests.model.visitors import PLACES
from tests.model.world import ADDRESSES, DESK, WHICH, Did, World, deed

# hours from now, on the hour: near enough to be refused, near, inside the last day, and ahead; they meet often
WHEN = st.one_of(
    st.sampled_from([26, 27, 50, 200, 30, 5, 2, 1]).map(lambda hours: timedelta(hours=hours)),
    st.sampled_from([40, 20, -60]).map(lambda minutes: timedelta(minutes=minutes)),
)
# minutes from the start of a session that is promised: the same, overlapping, ending with its pause, beginning after it
BESIDE = st.none() | st.sampled_from([0, 30, 74, 75, -74, -75])
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WHO = st.integers(0, 1)
AMOUNT = st.sampled_from([None, None, None, 120_000, 0, -1])
SOME = st.sampled_from([None, 1, 40_000, 150_000, 0])


class Practice(World):
    """Approvals, refusals, moves, money at the desk, refunds, outcomes, more time."""

    @deed(needs="bookings", times=3, which=WHICH, who=WHO, when=WHEN, beside=BESIDE, amount=AMOUNT, twice=st.booleans())
    def approve(
        self, which: int, who: int, when: timedelta, beside: int | None, amount: int | None, twice: bool
    ) -> None:
        self.approve_at(self.booking(which, "PENDING"), self.start(when, beside), who, amount, twice)

    def approve_at(self, was: Row, start: datetime, who: int = 0, amount: int | None = None, twice: bool = True) -> Did:
        """Staff choose, and perhaps look twice: at a minor's consent, at a visitor who asked to cancel."""
        choice = staff.Approval(
            self.psychologists[who],
            start,
            amount_paise=amount,
            guardian_consent=twice,
            despite_cancellation_request=twice,
        )
        did = self.do(staff.approve, was.id, choice, **DESK)
        if did.code is None:
            assert was.state == "PENDING"
            assert was.cancellation_requested_at is None or twice, "approved without a second look"
            if did.answer.state == "APPROVED":
                half_way = self.now + (start - self.now) / 2
                assert did.answer.pay_by == min(self.now + DAY, max(start - HOUR, half_way)), "another time to pay"
        if did.code == Code.SLOT_TAKEN:
            assert _meets(did.before, was, choice.psychologist_id, start, HOUR), "a free slot was refused"
        return did

    @deed(needs="bookings", which=WHICH)
    def reject(self, which: int) -> None:
        was = self.booking(which, "PENDING")
        did = self.do(staff.reject, was.id, note_to_visitor="Fully booked.", **DESK)
        assert (did.code is None) == (was.state == "PENDING")

    @deed(needs="bookings", which=WHICH, who=st.none() | WHO, when=WHEN, beside=BESIDE)
    def move(self, which: int, who: int | None, when: timedelta, beside: int | None) -> None:
        was = self.booking(which, *HOLDS_SLOT)
        start = self.start(when, beside)
        psychologist_id = None if who is None else self.psychologists[who]
        did = self.do(staff.reschedule, was.id, staff.Move(start, psychologist_id), **DESK)
        if did.code is None:
            assert was.state in HOLDS_SLOT
            assert did.after.payments == did.before.payments, "a move touched the money"
            assert did.after.bookings[was.id].state == was.state
        if did.code == Code.SLOT_TAKEN:
            length = was.slot_end - was.slot_start
            assert _meets(did.before, was, psychologist_id or was.psychologist_id, start, length), (
                "a free slot was refused"
            )

    @deed(address=st.sampled_from(ADDRESSES), place=PLACES)
    def take_call(self, address: str, place: tuple[str, str]) -> None:
        draft = story.draft_of(address, now=self.now, mode=place[0], payment_mode=place[1])
        did = self.do(desk.create_by_staff, draft, **DESK).went_well()
        assert (did.answer.state, did.answer.origin) == ("PENDING", "staff")

    @deed(needs="bookings", which=WHICH)
    def take_money(self, which: int) -> None:
        was = self.booking(which, "APPROVED", "PAYMENT_PENDING")
        did = self.do(desk.record_desk_payment, was.id, **DESK)
        if was.state in ("APPROVED", "PAYMENT_PENDING"):
            assert did.went_well().after.bookings[was.id].state == "CONFIRMED"
        elif did.before.paid(was.id):
            did.was_refused(Code.ALREADY_PAID)

    @deed(needs="bookings", which=WHICH)
    def sponsor(self, which: int) -> None:
        was = self.booking(which, "PENDING", "APPROVED", "PAYMENT_PENDING")
        did = self.do(desk.sponsor, was.id, self.corporate, **DESK)
        if was.state in ("APPROVED", "PAYMENT_PENDING"):
            assert did.went_well().after.bookings[was.id].state == "CONFIRMED"
        elif was.state != "PENDING":
            assert did.code is not None

    @deed(needs="bookings", which=WHICH, refund=st.sampled_from(RefundChoice), reason=st.sampled_from(["", "No show."]))
    def call_off(self, which: int, refund: RefundChoice, reason: str) -> None:
        was = self.booking(which, *ACTIVE)
        paid = self.seen.paid(was.id)
        did = self.do(
            cancellation.cancel_by_staff, was.id, note_to_visitor="", refund=refund, refund_reason=reason, **DESK
        )
        if refund is RefundChoice.NONE and not reason:
            did.was_refused(Code.REFUND_REASON_REQUIRED)
        elif was.state not in ACTIVE:
            did.was_refused(Code.STATE_REFUSES)
        else:
            assert did.went_well().after.bookings[was.id].reason == "by_staff"
            left = did.after.left_paise(paid) if paid else 0
            kept = did.before.left_paise(paid) if paid and refund is RefundChoice.NONE else 0
            assert left == kept, f"{left} paise were kept, not {kept}"

    @deed(needs="payments", which=WHICH, amount=SOME)
    def grant_refund(self, which: int, amount: int | None) -> None:
        fits = self.one_of(self.seen.payments.values(), which, lambda payment: payment.state == "captured")
        paid = self.seen.paid(fits.booking_id)
        left = self.seen.left_paise(paid) if paid else 0
        wanted = left if amount is None else amount
        did = self.do(refunds.grant_refund, fits.booking_id, amount, **DESK)
        if not 0 < wanted <= left:
            did.was_refused(Code.REFUND_EXCEEDS_CAPTURE)
        else:
            assert did.after.left_paise(did.went_well().after.payments[paid.id]) == left - wanted

    @deed(needs="refunds", which=WHICH)
    def hand_out_refund(self, which: int) -> None:
        def is_ours(refund: Row) -> bool:
            method = self.seen.payments[refund.payment_id].method
            return refund.state == "refused" or (refund.state == "queued" and method == "desk")

        was = self.one_of(self.seen.refunds.values(), which, is_ours)
        did = self.do(refunds.record_refund_made, was.id, **DESK)
        if was.state == "done":
            assert not did.went_well().changed
        elif not is_ours(was):
            did.was_refused(Code.REFUND_AT_GATEWAY)

    @deed(needs="bookings", which=WHICH, outcome=st.sampled_from(Outcome))
    def record_outcome(self, which: int, outcome: Outcome) -> None:
        def has_begun(booking: Row) -> bool:
            return booking.state in ("CONFIRMED", "COMPLETED") and booking.slot_start <= self.now

        was = self.one_of(self.seen.bookings.values(), which, has_begun)
        did = self.do(desk.record_outcome, was.id, outcome, **DESK)
        if was.state not in ("CONFIRMED", "COMPLETED"):
            did.was_refused(Code.STATE_REFUSES)
        elif was.slot_start <= self.now < was.slot_end + timedelta(days=7):
            assert did.went_well().after.bookings[was.id].outcome == outcome
        else:
            did.was_refused(Code.OUTCOME_CLOSED)

    @deed(needs="bookings", which=WHICH, state=st.none() | st.sampled_from(State), hours=st.sampled_from([1, 6, 48]))
    def extend(self, which: int, state: State | None, hours: int) -> None:
        was = self.booking(which, "DRAFT", "PENDING", "APPROVED")
        asked = state or State(was.state)
        did = self.do(desk.extend_deadline, was.id, asked, timedelta(hours=hours), **DESK).went_well()
        assert did.answer == did.changed
        if did.changed:
            assert asked == was.state
            assert did.after.bookings[was.id].due_at >= was.due_at, "more time was less time"

    def start(self, when: timedelta, beside: int | None) -> datetime:
        """When the session shall be: on the hour, or beside a session that is promised already."""
        claims = [claim for claim in self.seen.claims.values() if claim.blocked_from > self.now]
        if beside is not None and claims:
            start: datetime = claims[0].blocked_from + timedelta(minutes=beside)
            return start
        return (self.now + when).replace(minute=0 if when >= HOUR else self.now.minute)


def _meets(seen: Picture, booking: Row, psychologist_id: int | None, start: datetime, length: timedelta) -> bool:
    """Whether another session's time and pause meets this one's."""
    return any(
        claim.psychologist_id == psychologist_id
        and claim.booking_id != booking.id
        and claim.blocked_from < start + length + BUFFER
        and start < claim.blocked_until
        for claim in seen.claims.values()
    )
