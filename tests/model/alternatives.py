"""Requests declined, with other times or without, and visitors who take one of those times."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st

from backend.bookings import links
from backend.bookings.lifecycle import alternatives, approval
from backend.core.errors import Code
from tests.model.invariants import ACTIVE
from tests.model.slot_booking import BESIDE, WHEN, WHO, SlotBooking, Wanted
from tests.model.snapshot import Row
from tests.model.world import DESK, WHICH, action
from tests.support import scenarios

ALTERNATIVES = st.lists(st.tuples(WHO, WHEN, BESIDE), min_size=1, max_size=4)


class Alternatives(SlotBooking):
    """Times that nobody holds until one of them is taken."""

    @action(needs="bookings", which=WHICH, may_undo=st.booleans())
    def reject(self, which: int, may_undo: bool) -> None:
        was = self.booking(which, "PENDING")
        did = self.do(approval.reject, was.id, note_to_visitor="Fully booked.", is_undoable=may_undo, **DESK)
        assert (did.code is None) == (was.state == "PENDING")

    @action(needs="bookings", times=2, which=WHICH, offers=ALTERNATIVES, twice=st.booleans())
    def offer_instead(self, which: int, offers: list[tuple[int, timedelta, int | None]], twice: bool) -> None:
        """Offers may meet one another: the visitor takes one of them."""
        was = self.booking(which, "PENDING")
        wanted = [(self.people[who], self.start(when, beside)) for who, when, beside in offers]
        self.offer_for(was, wanted, twice=twice)

    def offer_for(self, was: Row, wanted: list[tuple[int, datetime]], *, twice: bool = True) -> None:
        """Staff decline, and look twice at hours and a minor's consent."""
        offers = [alternatives.OfferedSlot(who, start, despite_hours=twice) for who, start in wanted]
        availability = self.availability()
        did = self.do(
            approval.reject,
            was.id,
            note_to_visitor="Then perhaps?",
            offers=offers,
            guardian_consent=scenarios.GUARDIAN if twice else None,
            is_undoable=twice,
            **DESK,
        )
        if was.state != "PENDING":
            did.was_refused(Code.STATE_REFUSES)
            return
        obstacles = {Code.TOO_MANY_ALTERNATIVES} if len(offers) > 3 else set()
        if was.age < 18 and was.guardian_consent_at is None and not twice:
            obstacles.add(Code.GUARDIAN_CONSENT_REQUIRED)
        for who, start in wanted:
            obstacles |= availability.obstacles(who, start, of=was, despite_hours=twice)
        did.met(obstacles)
        if did.code is None:
            offered = [row for row in did.after.alternatives.values() if row.booking_id == was.id]
            found = [(row.psychologist_id, row.slot_start, row.amount_paise) for row in offered]
            assert found == [(who, start, self.fees[who]) for who, start in wanted], f"offered otherwise: {found}"
            assert did.after.claims == did.before.claims, "an offer was held"

    @action(needs="alternative", times=3, which=WHICH)
    def take_alternative(self, which: int) -> None:
        def is_open(link: Row) -> bool:
            return self._taken(link) is None and link.expires_at > self.now

        link = self.one_of(self.seen.alternative, which, is_open)
        self.take_by(link)

    def take_by(self, link: Row) -> None:
        """The visitor opens one of the times; perhaps one was taken already, or somebody else has it now."""
        offered, rejected = self.seen.alternatives[link.alternative_id], self.seen.bookings[link.booking_id]
        wanted = Wanted(
            offered.psychologist_id,
            offered.slot_start,
            offered.amount_paise,
            despite_hours=True,  # staff chose it
            may_ask=True,  # nobody of staff is there to ask
            is_new=True,
        )
        expectation, taken = self.expect(wanted, rejected, rejected.corporate_id), self._taken(link)
        is_open = link.spent_at is None and link.expires_at > self.now
        active = [b for b in self.seen.bookings.values() if b.state in ACTIVE and b.origin == "visitor"]
        token = links.tokens_of(link.message_uuid)[links.alternative_token_name(offered.number)]
        did = self.do(alternatives.take_alternative, token)
        if taken is not None:
            assert not did.went_well().changed, "taken twice"
            assert did.answer.pk == taken
        elif not is_open:
            did.was_refused(Code.LINK_EXPIRED)
        elif any(booking.email == rejected.email for booking in active):
            did.was_refused(Code.ALREADY_ACTIVE)
        else:
            did.met(expectation.obstacles)
        if did.changed:
            booking = did.after.bookings[did.answer.pk]
            self.is_as_expected(booking, wanted, expectation)
            assert (booking.origin, booking.verified_at) == ("visitor", self.now)
            assert did.after.alternatives[offered.id].taken_by_id == booking.id
            assert did.after.links[link.id].spent_at == self.now
            assert booking.corporate_id == (rejected.corporate_id if expectation.is_sponsored else None)

    def _taken(self, link: Row) -> int | None:
        """What came of this rejection."""
        rows = self.seen.alternatives.values()
        return next((row.taken_by_id for row in rows if row.booking_id == link.booking_id and row.taken_by_id), None)
