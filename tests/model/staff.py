"""What staff do at their desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import cancellation, desk_money, first_fit, front_desk, refunds, void_payment
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import State
from backend.bookings.models import Outcome
from backend.core.errors import Code
from backend.payments.models import VoidReason
from tests.model.allowance import month_of
from tests.model.invariants import ACTIVE, GRACE, HOLDS_SLOT
from tests.model.slot_booking import AMOUNT, BESIDE, WHEN, WHO, Expectation, SlotBooking, Wanted
from tests.model.snapshot import Row, Snapshot
from tests.model.visitors import PLACES
from tests.model.world import ADDRESSES, DESK, WHICH, Result, action
from tests.support import scenarios

EARLY = timedelta(minutes=30)  # clients come before their session
PAYING = ("APPROVED", "PAYMENT_PENDING")
CALLED_OFF = ("CANCELLED", "REJECTED", "PAYMENT_FAILED")
SOME = st.sampled_from([None, 1, 40_000, 150_000, 0])


class Staff(SlotBooking):
    """Approvals, moves, sponsors, money at the desk, refunds, outcomes, more time."""

    @action(
        needs="bookings", times=3, which=WHICH, who=WHO, when=WHEN, beside=BESIDE, amount=AMOUNT, twice=st.booleans()
    )
    def approve(
        self, which: int, who: int, when: timedelta, beside: int | None, amount: int | None, twice: bool
    ) -> None:
        self.approve_at(self.booking(which, "PENDING"), self.start(when, beside), who, amount, twice)

    def approve_at(
        self, was: Row, start: datetime, who: int = 0, amount: int | None = None, twice: bool = True
    ) -> Result:
        """Staff choose, and perhaps look twice: at hours, consent, a sponsor, a visitor who asked to cancel."""
        id_ = self.people[who]
        fee = self.fees[id_] if amount is None else amount
        wanted = Wanted(id_, start, fee, despite_hours=twice, may_ask=twice)
        expectation = self.expect(wanted, was, was.corporate_id)
        did = self.do(
            staff.approve,
            was.id,
            replace(_approval(twice), psychologist_id=id_, slot_start=start, amount_paise=amount, is_undoable=twice),
            **DESK,
        )
        if was.state != "PENDING":
            return did.was_refused(Code.STATE_REFUSES)
        did.met(expectation.obstacles | _second_looks(was, twice))
        if did.code is None:
            self.is_as_expected(did.after.bookings[was.id], wanted, expectation)
        return did

    @action(needs="bookings", times=2, which=WHICH, who=st.sampled_from([None, None, 0, 2]), twice=st.booleans())
    def approve_first_fit(self, which: int, who: int | None, twice: bool) -> None:
        """Only what is offered and is all that the visitor asked for; the very slot that was wished for, if it is."""
        was = self.booking(which, "PENDING")
        asked = None if who is None else self.people[who]
        may_fit = was.state == "PENDING" and asked in (None, self.people.by_hours)
        fitting = self.availability().fitting(was) if may_fit else []
        chosen = was.preferred_slot_start if was.preferred_slot_start in fitting else None
        expected = {start: self._judge_offered(was, start, twice) for start in fitting}
        approval = replace(_approval(twice), psychologist_id=asked)
        did = self.do(first_fit.approve_first_fit, was.id, approval, **DESK)
        if was.state != "PENDING":
            did.was_refused(Code.STATE_REFUSES)
        elif not fitting:
            did.was_refused(Code.NO_FREE_SLOT)
        elif did.code is None:
            start = did.after.bookings[was.id].slot_start
            assert start in fitting, f"{start} fits not: {was}"
            assert chosen in (None, start), f"{chosen} was free: {was}"
            wanted, expectation = expected[start]
            assert not expectation.obstacles | _second_looks(was, twice), f"approved in spite of {expectation}"
            self.is_as_expected(did.after.bookings[was.id], wanted, expectation)
        else:
            reasons = [expectation.obstacles | _second_looks(was, twice) for _, expectation in expected.values()]
            assert all(did.code in found for found in reasons), f"refused with {did.code}, not {reasons}"

    def _judge_offered(self, was: Row, start: datetime, twice: bool) -> tuple[Wanted, Expectation]:
        wanted = Wanted(
            self.people.by_hours, start, self.fees[self.people.by_hours], despite_hours=twice, may_ask=twice
        )
        return wanted, self.expect(wanted, was, was.corporate_id)

    @action(needs="bookings", times=2, which=WHICH, who=st.none() | WHO, when=WHEN, beside=BESIDE, twice=st.booleans())
    def move(self, which: int, who: int | None, when: timedelta, beside: int | None, twice: bool) -> None:
        was = self.booking(which, *HOLDS_SLOT)
        start = self.start(when, beside)
        chosen = None if who is None else self.people[who]
        obstacles = {Code.STATE_REFUSES}
        if was.state in HOLDS_SLOT:
            obstacles = self._obstacles_to_move(was, chosen or was.psychologist_id, start, twice)
        did = self.do(reschedule, was.id, Move(start, chosen, despite_hours=twice), **DESK).met(obstacles)
        if did.code is None:
            assert did.after.payments == did.before.payments, "a move touched the money"
            assert did.after.bookings[was.id].slot_start == start

    def _obstacles_to_move(self, was: Row, who: int, start: datetime, twice: bool) -> set[Code]:
        """The same time needs no second look at the hours, the same psychologist none at the place."""
        found = self.availability().obstacles(
            who,
            start,
            of=was,
            length=was.slot_end - was.slot_start,
            despite_hours=twice or (who, start) == (was.psychologist_id, was.slot_start),
            keeps_place=who == was.psychologist_id,
        )
        is_counted = was.sponsored_month is not None
        is_over = is_counted and not self.allowance().covers(start, besides=was)
        return found | ({Code.MONTH_NOT_SPONSORED} if is_over else set())

    @action(address=st.sampled_from(ADDRESSES), place=PLACES)
    def take_call(self, address: str, place: tuple[str, str]) -> None:
        draft = scenarios.draft_of(address, now=self.now, mode=place[0], payment_mode=place[1])
        did = self.do(front_desk.create_by_staff, draft, **DESK).went_well()
        assert did.answer.booking.origin == "staff"
        assert did.answer.is_new == did.changed
        if did.answer.is_new:
            assert did.answer.booking.state == "PENDING"

    @action(needs="bookings", times=2, which=WHICH, amount=SOME)
    def take_money(self, which: int, amount: int | None) -> None:
        """All that is left to pay, or a part of it."""
        was = self.booking(which, "APPROVED", "PAYMENT_PENDING")
        rest = self.seen.rest(was.id)
        wanted = rest if amount is None else amount
        obstacle = self._obstacle_to_money(was, wanted, rest)
        did = self.do(desk_money.record_desk_payment, was.id, desk_money.Handed(amount_paise=amount), **DESK)
        if obstacle is not None:
            did.was_refused(obstacle)
            return
        after = did.went_well().after
        then = was.state if was.state not in PAYING else "APPROVED" if wanted < rest else "CONFIRMED"
        assert (after.bookings[was.id].state, after.rest(was.id)) == (then, rest - wanted), f"paid {wanted}: {was}"
        assert after.refunds == did.before.refunds, "money at the desk moved other money"

    def _obstacle_to_money(self, was: Row, wanted: int, rest: int) -> Code | None:
        if self.seen.paid(was.id):
            return Code.ALREADY_PAID
        owes_here = was.state in ("CONFIRMED", "COMPLETED") and was.corporate_id is None and rest > 0
        if was.state not in PAYING and not owes_here:
            return Code.STATE_REFUSES
        if not 0 < wanted <= rest:
            return Code.AMOUNT_EXCEEDS_REST
        is_late = was.state in PAYING and self.now >= min(was.pay_by + GRACE, was.slot_start)
        return Code.PAY_BY_PASSED if is_late and wanted < rest else None

    @action(needs="payments", times=3, which=WHICH, is_named=st.booleans())
    def take_money_back(self, which: int, is_named: bool) -> None:
        fits = self.one_of(self.seen.payments.values(), which, lambda payment: payment.method == "desk")
        was = self.seen.bookings[fits.booking_id]
        parts = [part for part in self.seen.paying(was.id) if part.method == "desk"]
        named = [part for part in parts if not is_named or part.id == fits.id]
        reference = fits.reference if is_named else ""
        why = VoidReason.WRONG_BOOKING
        did = self.do(void_payment.void_desk_payment, was.id, why, reference=reference, **DESK)
        if not named:
            did.was_refused(Code.NOT_PAID_AT_DESK)
        elif any(did.before.refunds_of(part.id) for part in did.before.paying(was.id)):
            did.was_refused(Code.PAYMENT_GIVEN_BACK)
        elif any(_is_returning(did.before, payment) for payment in did.before.payments_of(was.id)):
            did.was_refused(Code.MONEY_RETURNING)
        else:
            after = did.went_well().after
            is_payable = was.state == "CONFIRMED" and was.pay_by is not None and self.now < was.pay_by
            assert after.payments[named[-1].id].state == "voided"
            is_asked_anew = is_payable or was.state == "PAYMENT_PENDING"
            assert after.bookings[was.id].state == ("APPROVED" if is_asked_anew else was.state)
            assert after.refunds == did.before.refunds, "money moved that never came"

    @action(needs="bookings", times=2, which=WHICH, is_acme=st.sampled_from([True, True, False]))
    def sponsor(self, which: int, is_acme: bool) -> None:
        """Noted before approval; afterwards the sponsor is asked at once."""
        was = self.booking(which, "PENDING", "APPROVED", "PAYMENT_PENDING")
        corporate_id = self.corporate if is_acme else None
        is_waiting = was.state in ("APPROVED", "PAYMENT_PENDING")
        is_covered = is_waiting and self.allowance().covers(was.slot_start)
        did = self.do(front_desk.sponsor, was.id, corporate_id, **DESK)
        after = did.after.bookings[was.id]
        if did.before.paying(was.id) and not did.before.paid(was.id) and was.state not in CALLED_OFF:
            did.was_refused(Code.PART_PAID)
        elif was.state == "PENDING":
            assert did.went_well().changed
            assert (after.corporate_id, after.sponsored_month) == (corporate_id, None)
        elif not is_waiting:
            did.was_refused(Code.ALREADY_PAID if did.before.paid(was.id) else Code.STATE_REFUSES)
        elif corporate_id is None:
            did.was_refused(Code.SPONSOR_UNKNOWN)
        else:
            did.met(set() if is_covered else {Code.SPONSOR_DOES_NOT_COVER})
            if is_covered:
                assert (after.state, after.sponsored_month) == ("CONFIRMED", month_of(was.slot_start))

    @action(
        needs="bookings",
        which=WHICH,
        refund=st.sampled_from(RefundChoice),
        reason=st.sampled_from(["", "No show."]),
        part=SOME,
        may_undo=st.booleans(),
    )
    def call_off(self, which: int, refund: RefundChoice, reason: str, part: int | None, may_undo: bool) -> None:
        was = self.booking(which, *ACTIVE)
        held = self.seen.held(was.id)
        given = {"note_to_visitor": "", "refund": refund, "refund_reason": reason, "amount_paise": part}
        did = self.do(cancellation.cancel_by_staff, was.id, **given, is_undoable=may_undo, **DESK)
        back = {RefundChoice.NONE: 0, RefundChoice.PART: part or 0}.get(refund, held)
        if was.state not in ACTIVE:
            did.was_refused(Code.STATE_REFUSES)
        elif refund is RefundChoice.PART and not 0 < back <= held:
            did.was_refused(Code.REFUND_EXCEEDS_CAPTURE)
        elif not reason and (back < held or refund is RefundChoice.NONE):
            did.was_refused(Code.REFUND_REASON_REQUIRED)
        else:
            assert did.went_well().after.bookings[was.id].reason == "by_staff"
            left = did.after.held(was.id)
            assert left == held - back, f"{left} paise were kept, not {held - back}"

    @action(needs="payments", which=WHICH, amount=SOME)
    def grant_refund(self, which: int, amount: int | None) -> None:
        fits = self.one_of(self.seen.payments.values(), which, lambda payment: payment.state == "captured")
        was = self.seen.bookings[fits.booking_id]
        left = self.seen.held(was.id)
        wanted = left if amount is None else amount
        did = self.do(refunds.grant_refund, was.id, amount, **DESK)
        if self.seen.paying(was.id) and self.seen.rest(was.id) and was.state not in CALLED_OFF:
            did.was_refused(Code.PART_PAID)
        elif not 0 < wanted <= left:
            did.was_refused(Code.REFUND_EXCEEDS_CAPTURE)
        else:
            assert did.went_well().after.held(was.id) == left - wanted

    @action(needs="refunds", times=3, which=WHICH)
    def hand_out_refund(self, which: int) -> None:
        def is_ours(refund: Row) -> bool:
            method = self.seen.payments[refund.payment_id].method
            return refund.state in ("refused", "unfinished") or (refund.state == "queued" and method == "desk")

        was = self.one_of(self.seen.refunds.values(), which, is_ours)
        did = self.do(refunds.record_refund_made, was.id, **DESK)
        if was.state == "done":
            assert not did.went_well().changed
        elif not is_ours(was):
            did.was_refused(Code.REFUND_AT_GATEWAY)

    @action(needs="bookings", which=WHICH, outcome=st.sampled_from(Outcome))
    def record_outcome(self, which: int, outcome: Outcome) -> None:
        def has_begun(booking: Row) -> bool:
            return booking.state in ("CONFIRMED", "COMPLETED") and booking.slot_start <= self.now + EARLY

        was = self.one_of(self.seen.bookings.values(), which, has_begun)
        earlier = EARLY if outcome in (Outcome.ATTENDED, Outcome.UNRECORDED) else timedelta(0)
        did = self.do(front_desk.record_outcome, was.id, outcome, **DESK)
        if was.state not in ("CONFIRMED", "COMPLETED"):
            did.was_refused(Code.STATE_REFUSES)
        elif was.slot_start <= self.now + earlier and self.now < was.slot_end + timedelta(days=7):
            assert did.went_well().after.bookings[was.id].outcome == outcome
        else:
            did.was_refused(Code.OUTCOME_CLOSED)

    @action(needs="bookings", which=WHICH, state=st.none() | st.sampled_from(State), hours=st.sampled_from([1, 6, 48]))
    def extend(self, which: int, state: State | None, hours: int) -> None:
        was = self.booking(which, "DRAFT", "PENDING", "APPROVED")
        asked = state or State(was.state)
        did = self.do(front_desk.extend_deadline, was.id, asked, timedelta(hours=hours), **DESK).went_well()
        assert did.answer == did.changed
        if did.changed:
            assert asked == was.state
            assert did.after.bookings[was.id].due_at >= was.due_at, "more time was less time"


def _is_returning(snapshot: Snapshot, payment: Row) -> bool:
    is_beside = payment.state == "captured" and payment.is_unexpected
    refunds = [refund for refund in snapshot.refunds.values() if refund.payment_id == payment.id]
    return is_beside and bool(refunds) and all(refund.state != "done" for refund in refunds)


def _approval(twice: bool) -> Approval:
    """What staff look at twice."""
    return Approval(
        None,
        None,
        guardian_consent=scenarios.GUARDIAN if twice else None,
        despite_cancellation_request=twice,
        despite_hours=twice,
        pay_if_not_sponsored=twice,
    )


def _second_looks(was: Row, twice: bool) -> set[Code]:
    """What staff are shown first, and must say once more."""
    if twice:
        return set()
    is_minor = was.age < 18 and was.guardian_consent_at is None
    found = {Code.GUARDIAN_CONSENT_REQUIRED} if is_minor else set()
    return found | ({Code.CANCELLATION_PENDING} if was.cancellation_requested_at is not None else set())
