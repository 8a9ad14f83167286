"""What visitors do, and strangers: every door that asks for no password."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from backend.bookings import links
from backend.bookings.lifecycle import attempts, cancellation, visitor
from backend.core.errors import Code
from tests.model.availability import KOLKATA, days_from, grid
from tests.model.invariants import ACTIVE
from tests.model.snapshot import Row, Snapshot
from tests.model.world import ADDRESSES, SPONSORS_CODE, WHICH, Result, World, action
from tests.support import scenarios

PLACES = st.sampled_from([("ONLINE", "ONLINE"), ("ONLINE", "OFFLINE"), ("OFFLINE", "ONLINE"), ("OFFLINE", "OFFLINE")])
NOTICE = timedelta(hours=24)
# nothing, the sponsor's, and one that nobody gave out
SPONSOR_CODES = st.sampled_from(["", "", SPONSORS_CODE, "ACME-0"])
# a wish: with whom or with anybody, and which of the hours of the next days, or at any time
WISHES = st.none() | st.tuples(st.booleans(), st.none() | st.integers(6, 30))
BAD_WISHES = st.sampled_from([None, None, None, "past", "nobody"])


class Visitors(World):
    """Drafts, proofs, payments begun, cancellations, and requests made again."""

    @action(
        address=st.sampled_from(ADDRESSES),
        place=PLACES,
        age=st.sampled_from([31, 16, 12]),
        days=st.sampled_from([3, 0, -2]),
        wish=BAD_WISHES,
    )
    def submit(self, address: str, place: tuple[str, str], age: int, days: int, wish: str | None) -> None:
        preferred = self.now.astimezone(KOLKATA).date() + timedelta(days=days)
        mode, payment_mode = place
        draft = scenarios.draft_of(
            address, now=self.now, age=age, mode=mode, payment_mode=payment_mode, preferred_date=preferred
        )
        if wish == "past":
            draft = replace(draft, preferred_slot_start=self.now)
        elif wish == "nobody":
            draft = replace(draft, preferred_psychologist_id=max(self.people) + 1)
        did = self.do(visitor.submit_draft, draft)
        if age < 13 or days < 0:
            assert did.code in (Code.AGE_REFUSED, Code.DATE_PAST)
        elif wish is not None:
            did.was_refused(Code.WISH_PAST if wish == "past" else Code.WISH_UNKNOWN)
        elif _active(did.before, address):
            assert did.after.bookings == did.before.bookings, "a stranger's draft was kept beside an active booking"

    @action(
        times=3,
        address=st.sampled_from(ADDRESSES),
        place=PLACES,
        age=st.sampled_from([31, 31, 16]),
        code=SPONSOR_CODES,
        wish=WISHES,
    )
    def arrive(
        self, address: str, place: tuple[str, str], age: int, code: str, wish: tuple[bool, int | None] | None
    ) -> None:
        """A visitor who reads mail at once. What they wish for may be taken: no request is lost by it."""
        draft = scenarios.draft_of(
            address, now=self.now, mode=place[0], payment_mode=place[1], age=age, sponsor_code=code, **self._wish(wish)
        )
        did = self.do(visitor.submit_draft, draft).went_well()
        for link in did.after.booking_links:
            if link.id not in did.before.links and did.after.bookings[link.booking_id].state == "DRAFT":
                self.verify_by(link)
                break

    def _wish(self, wish: tuple[bool, int | None] | None) -> dict[str, object]:
        if wish is None:
            return {}
        is_with_one, number = wish
        found: dict[str, object] = {"preferred_psychologist_id": self.people.by_hours if is_with_one else None}
        if number is not None:
            start = [at for day in days_from(self.now, 1 + number) for at in grid(day)][number]
            local = start.astimezone(KOLKATA)
            period = "EVENING" if local.hour >= 16 else "MORNING"
            found |= {"preferred_slot_start": start, "preferred_date": local.date(), "preferred_period": period}
        return found

    @action(address=st.sampled_from(ADDRESSES))
    def click_twice(self, address: str) -> None:
        draft = scenarios.draft_of(address, now=self.now)
        first = self.do(visitor.submit_draft, draft)
        self.now += timedelta(seconds=59)
        second = self.do(visitor.submit_draft, draft)
        if len(first.after.bookings) > len(first.before.bookings):
            assert not second.changed, "one click made two drafts"

    @action(needs="booking_links", times=2, which=WHICH)
    def verify(self, which: int) -> None:
        seen = self.seen
        drafts = {b.id for b in seen.bookings.values() if b.state == "DRAFT" and b.due_at > self.now}
        beside = {id_ for id_ in drafts if _active(seen, seen.bookings[id_].email)}  # rare, and must be refused
        self.verify_by(self.one_of(seen.booking_links, which, lambda link: link.booking_id in (beside or drafts)))

    def verify_by(self, link: Row) -> None:
        """The visitor opens the link of a draft, or of what became of it."""
        was = self.seen.bookings[link.booking_id]
        did = self.do(visitor.verify_email, _token(link))
        if was.state != "DRAFT":
            assert not did.changed
        elif was.due_at <= self.now:
            did.was_refused(Code.DRAFT_LAPSED)
        elif _active(did.before, was.email):
            did.was_refused(Code.ALREADY_ACTIVE)
        else:
            self._proved(did.went_well(), was)

    def _proved(self, did: Result, was: Row) -> None:
        assert did.after.bookings[was.id].state == "PENDING"
        for other in did.after.bookings.values():
            assert (other.email, other.state) != (was.email, "DRAFT"), f"a sibling was left: {other}"

    @action(needs="booking_links", which=WHICH)
    def try_wrong_tokens(self, which: int) -> None:
        token = _token(self.one_of(self.seen.booking_links, which, self._works))
        self.do(visitor.verify_email, "nonsense").was_refused(Code.LINK_UNKNOWN)
        self.do(cancellation.confirm_cancellation, token).was_refused(Code.LINK_UNKNOWN)
        self.do(visitor.request_again, token).was_refused(Code.LINK_UNKNOWN)
        self.worked()

    @action(address=st.sampled_from([*ADDRESSES, "nobody@example.org"]))
    def ask_for_link(self, address: str) -> None:
        did = self.do(visitor.request_link, address).went_well()
        assert len(did.after.messages) == len(did.before.messages) + 1
        assert did.after.bookings == did.before.bookings

    @action(needs="bookings", times=2, which=WHICH)
    def begin_to_pay(self, which: int) -> None:
        def is_payable(booking: Row) -> bool:
            return booking.state == "APPROVED" and self.now < booking.due_at

        self.begin_to_pay_for(self.one_of(self.seen.bookings.values(), which, is_payable))

    def begin_to_pay_for(self, was: Row) -> None:
        did = self.do(attempts.start_payment, was.acknowledgement_id)
        if was.purged_at is not None:
            did.was_refused(Code.BOOKING_UNKNOWN)
        elif was.choose_by is not None and was.state != "CONFIRMED":
            did.was_refused(Code.CHOICE_OPEN)
        elif was.state == "APPROVED" and self.now < was.due_at:
            did.went_well()
            assert did.after.bookings[was.id].state == "PAYMENT_PENDING"
            assert did.answer.amount_paise == did.before.rest(was.id), f"asked for another sum: {did.answer}"
        elif was.state == "PAYMENT_PENDING":
            assert not did.went_well().changed
            assert did.answer.state == "open"
        elif was.state in ("CONFIRMED", "COMPLETED"):
            did.was_refused(Code.ALREADY_PAID if did.before.paid(was.id) else Code.NOTHING_TO_PAY)
        elif was.state == "APPROVED":
            did.was_refused(Code.PAY_BY_PASSED)
        else:
            did.was_refused(Code.BOOKING_UNKNOWN if was.verified_at is None else Code.STATE_REFUSES)

    @action(needs="bookings", times=2, which=WHICH)
    def ask_to_cancel(self, which: int) -> None:
        was = self.booking(which, *ACTIVE)
        did = self.do(cancellation.request_cancellation, was.acknowledgement_id)
        if was.verified_at is None or was.purged_at is not None:
            did.was_refused(Code.BOOKING_UNKNOWN)
        elif was.state not in ACTIVE:
            did.was_refused(Code.STATE_REFUSES)
        elif was.state == "CONFIRMED" and not self._may_cancel(was):
            did.was_refused(Code.CANCEL_TOO_LATE)
        else:
            after = did.went_well().after.bookings[was.id]
            assert not did.changed or after.cancellation_requested_at == self.now  # asked too often: nothing is done

    @action(needs="cancel", times=2, which=WHICH)
    def prove_cancellation(self, which: int) -> None:
        self._cancel_by(self.one_of(self.seen.cancel, which, self._works))

    @action(needs="cancel_late", which=WHICH)
    def cancel_late(self, which: int) -> None:
        self._cancel_by(self.one_of(self.seen.cancel_late, which, self._works))

    def _cancel_by(self, link: Row) -> None:
        """Works once, on an active booking, before the session begins; gives back what the policy promises."""
        was = self.seen.bookings[link.booking_id]
        left = self.seen.held(was.id)
        did = self.do(cancellation.confirm_cancellation, _token(link))
        if not did.changed:
            return
        assert was.state in ACTIVE
        assert self._works(link), f"a link that had ended cancelled: {link}"
        now = did.after.bookings[was.id]
        assert now.state == "CANCELLED"
        if was.state == "CONFIRMED":
            assert self.now < was.slot_start, f"cancelled by the visitor after it began: {was}"
        asked_at = link.created_at if link.purpose == "cancel" else self.now
        assert now.reason == ("by_visitor" if self._is_timely(was, asked_at) else "cancelled_late")
        gone = left - did.after.held(was.id)
        assert gone == self._promised(was, asked_at, left), f"{gone} of {left} paise came back: {was}"

    @action(needs="again", times=2, which=WHICH)
    def ask_again(self, which: int) -> None:
        link = self.one_of(self.seen.again, which, self._works)
        was = self.seen.bookings[link.booking_id]
        did = self.do(visitor.request_again, _token(link))
        if not self._works(link):
            assert not did.changed
        elif _active(did.before, was.email):
            did.was_refused(Code.ALREADY_ACTIVE)
        else:
            assert did.went_well().changed
            assert (did.answer.state, did.answer.is_priority) == ("PENDING", True)
            wish = was.preferred_slot_start
            assert did.answer.preferred_slot_start == (wish if wish is not None and wish > self.now else None)

    def _works(self, link: Row) -> bool:
        """Neither used nor expired."""
        return link.spent_at is None and link.expires_at is not None and link.expires_at > self.now

    def _may_cancel(self, booking: Row) -> bool:
        return self.now < booking.slot_start and self._is_in_time(booking, self.now)

    def _is_in_time(self, booking: Row, asked_at: object) -> bool:
        """A day ahead; after a move by staff until the start."""
        return booking.moved_by_staff_at is not None or asked_at <= booking.slot_start - NOTICE

    def _is_timely(self, booking: Row, asked_at: object) -> bool:
        return booking.state != "CONFIRMED" or self._is_in_time(booking, asked_at)

    def _promised(self, booking: Row, asked_at: object, left: int) -> int:
        """Nothing, unless staff moved the session, or it is in time and the practice gives back."""
        if booking.slot_start is None:
            return 0
        is_kind = self.gives_back and self._is_in_time(booking, asked_at)
        return left if booking.moved_by_staff_at is not None or is_kind else 0


def _active(seen: Snapshot, address: str) -> list[Row]:
    """What stands in the way of another booking of this visitor."""
    found = seen.bookings.values()
    return [b for b in found if b.state in ACTIVE and (b.email, b.origin) == (address, "visitor")]


def _token(link: Row) -> str:
    return links.tokens_of(link.message_uuid)[link.purpose]
