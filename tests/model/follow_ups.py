"""The next sessions, which staff book from the last one: each stands or falls alone, and a preview changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st

from backend.bookings.lifecycle import follow_ups
from backend.core.errors import Code
from tests.model.allowance import Allowance
from tests.model.availability import HOUR, Availability
from tests.model.relations import TREATED
from tests.model.slot_booking import AMOUNT, BESIDE, WHEN, WHO, SlotBooking, Wanted
from tests.model.snapshot import Row
from tests.model.world import DESK, SPONSORS_CODE, WHICH, Result, action

SERIES_MOST = 12
NOT_AFTER_NOBODY = {Code.BOOKING_UNKNOWN, Code.STATE_REFUSES, Code.SERIES_TOO_LONG}
DAY, WEEK = timedelta(days=1), timedelta(days=7)
STARTS = st.lists(st.tuples(WHEN, BESIDE), min_size=1, max_size=3)
RHYTHM = st.builds(follow_ups.Rhythm, st.sampled_from([2, 1, 0, SERIES_MOST + 1]), st.sampled_from([WEEK, DAY, HOUR]))


class FollowUps(SlotBooking):
    """Bookings of staff beside the one they follow."""

    @action(
        needs="treated",
        times=2,
        which=WHICH,
        starts=STARTS,
        who=st.none() | WHO,
        amount=AMOUNT,
        twice=st.booleans(),
    )
    def book_series(
        self,
        which: int,
        starts: list[tuple[timedelta, int | None]],
        who: int | None,
        amount: int | None,
        twice: bool,
    ) -> None:
        last = self.booking(which, *TREATED)
        self._book(last, tuple(self.start(*one) for one in starts), who, amount, twice)

    @action(needs="treated", which=WHICH, rhythm=RHYTHM, twice=st.booleans())
    def book_rhythm(self, which: int, rhythm: follow_ups.Rhythm, twice: bool) -> None:
        """Each start goes on from the last one, and all of them are ahead."""
        last = self.booking(which, *TREATED)
        starts = () if last.slot_start is None else _going_on(last.slot_start, rhythm, self.now)
        self._book(last, starts, None, None, twice, rhythm)

    def _book(
        self,
        last: Row,
        starts: tuple[datetime, ...],
        who: int | None,
        amount: int | None,
        twice: bool,
        rhythm: follow_ups.Rhythm | None = None,
    ) -> None:
        series = follow_ups.Series(
            rhythm or starts,
            psychologist_id=None if who is None else self.people[who],
            amount_paise=amount,
            pay_if_not_sponsored=twice,
            despite_hours=twice,
        )
        availability, allowance = self.availability(), self.allowance()
        tried = self.do(follow_ups.preview_series, last.id, series, **DESK)
        assert not tried.changed, "a preview was booked"
        did = self.do(follow_ups.book_series, last.id, series, **DESK)
        assert did.code == tried.code, f"{tried.code} was shown, {did.code} followed"
        if last.purged_at is not None:
            found = {did.code} if did.code else {code for _, code in _codes(did)}
            assert found <= NOT_AFTER_NOBODY, f"booked after somebody who is erased: {last}"
            return
        if last.state not in TREATED or not 1 <= len(starts) <= SERIES_MOST:
            assert did.code in (Code.STATE_REFUSES, Code.SERIES_TOO_LONG), f"booked after {last}: {did.code}"
            return
        shown, became = (_codes(found) for found in (tried, did))
        assert shown == became, f"{shown} was shown, {became} followed"
        assert [start for start, _ in became] == sorted(set(starts))
        self._are_as_expected(did, last, series, availability, allowance)

    def _are_as_expected(
        self, did: Result, last: Row, series: follow_ups.Series, availability: Availability, allowance: Allowance
    ) -> None:
        """One after the other: each is in the way of those that come later, and uses the sponsor's month."""
        who = series.psychologist_id or last.psychologist_id
        by_code = self.corporate if last.sponsor_code == SPONSORS_CODE else None
        for place in did.answer:
            wanted = Wanted(
                who,
                place.slot_start,
                self.fees[who] if series.amount_paise is None else series.amount_paise,
                length=last.slot_end - last.slot_start,
                despite_hours=series.despite_hours,
                may_ask=series.pay_if_not_sponsored,
                keeps_place=who == last.psychologist_id,
                is_new=True,
            )
            expectation = self.expect(wanted, last, last.corporate_id or by_code, availability, allowance)
            code = place.refused.code if place.refused else None
            assert code in expectation.obstacles if expectation.obstacles else code is None, (
                f"{code}, not {expectation}"
            )
            if place.booking is not None:
                booking = did.after.bookings[place.booking.pk]
                self.is_as_expected(booking, wanted, expectation)
                assert (booking.follows_id, booking.origin) == (last.id, "staff")
                availability.hold(booking.id, who, wanted.start, wanted.length)
                if expectation.is_sponsored:
                    allowance.take(wanted.start)


def _going_on(last: datetime, rhythm: follow_ups.Rhythm, now: datetime) -> tuple[datetime, ...]:
    """The first one that is ahead, and from there on."""
    first = last + rhythm.interval
    while first <= now:
        first += rhythm.interval
    return tuple(first + n * rhythm.interval for n in range(rhythm.count))


def _codes(did: Result) -> list[tuple[datetime, Code | None]]:
    return [(place.slot_start, place.refused.code if place.refused else None) for place in did.answer]
