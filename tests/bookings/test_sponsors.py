"""Sponsors: named by code or address, counted by the session's month, told to staff before anybody is asked to pay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from backend.bookings import queries, sponsors
from backend.bookings.lifecycle import cancellation, front_desk, timers
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, LedgerEntry, Outcome, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.people.models import Corporate, SponsorDomain
from tests.support import scenarios
from tests.support.scenarios import RAVI
from tests.support.sponsors import acme, approve, sponsored, with_code

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
STAFF = {"actor": "staff:desk"}
DAY = timedelta(days=1)
LATER = timedelta(days=3)


def refusal(call: Callable[[], object]) -> Refused:
    rows = LedgerEntry.objects.count(), SlotClaim.objects.count()
    with pytest.raises(Refused) as refused:
        call()
    assert (LedgerEntry.objects.count(), SlotClaim.objects.count()) == rows
    return refused.value


def left(corporate: Corporate, now: datetime) -> list[int | None]:
    return [month.left for month in sponsors.outlook(corporate, now=now)]


# -- who is named -----------------------------------------------------------------------------------------------------


def test_a_code_names_the_sponsor_once_the_address_is_proved(now: datetime) -> None:
    corporate = acme()
    draft = scenarios.submitted(now=now, sponsor_code="ACME-7Q")
    assert draft.corporate is None
    assert with_code(now=now).corporate == corporate


def test_an_address_in_the_sponsors_domain_needs_no_code(now: datetime) -> None:
    corporate = acme()
    SponsorDomain.objects.create(corporate=corporate, domain="mills.example")
    assert scenarios.pending("asha@mills.example", now=now).corporate == corporate
    assert scenarios.pending("asha@sub.mills.example", now=now).corporate is None


def test_a_code_speaks_before_the_domain(now: datetime) -> None:
    corporate, other = acme(), Corporate.objects.create(name="Mills")
    SponsorDomain.objects.create(corporate=other, domain="mills.example")
    assert with_code("asha@mills.example", now=now).corporate == corporate


def test_an_unknown_code_is_kept_and_changes_nothing(now: datetime) -> None:
    Corporate.objects.create(name="Without a code")
    booking = with_code(now=now)
    assert (booking.corporate, booking.sponsor_code) == (None, "ACME-7Q")
    assert approve(booking, now).state == State.APPROVED


def test_a_callers_code_counts_as_well(now: datetime) -> None:
    corporate = acme()
    draft = scenarios.draft_of(now=now, sponsor_code="ACME-7Q")
    assert front_desk.create_by_staff(draft, now=now, **STAFF).booking.corporate == corporate


def test_staff_take_a_sponsor_away_before_approval(now: datetime) -> None:
    acme()
    booking = front_desk.sponsor(with_code(now=now).pk, None, now=now, **STAFF)
    assert booking.corporate is None
    booking = approve(booking, now)
    assert (booking.state, booking.sponsored_month) == (State.APPROVED, None)
    assert refusal(lambda: front_desk.sponsor(booking.pk, None, now=now, **STAFF)).code is Code.SPONSOR_UNKNOWN


# -- the allowance ----------------------------------------------------------------------------------------------------


def test_a_sponsored_session_is_confirmed_at_once_and_takes_from_its_month(now: datetime) -> None:
    corporate = acme(sessions_a_month=3)
    assert queries.payment_status_value(with_code(RAVI, now=now)) == "open"
    booking = sponsored(now=now)
    assert (booking.state, booking.pay_by) == (State.CONFIRMED, None)
    assert (booking.sponsored_month, queries.payment_status_value(booking)) == (date(2026, 11, 1), "sponsored")
    assert left(corporate, now) == [2, 3, 3]
    assert LedgerEntry.objects.filter(booking=booking).latest("sequence").details["corporate"] == corporate.pk


def test_the_month_is_that_of_the_session_in_the_practices_zone(now: datetime) -> None:
    corporate = acme()
    midnight = datetime(2026, 11, 30, 18, 30, tzinfo=UTC)  # 1 December, 00:00 in Kolkata
    sponsored(now=now, at=midnight)
    sponsored(RAVI, now=now, at=midnight - timedelta(minutes=1))
    assert left(corporate, now) == [0, 0, 1]


def test_what_is_used_up_is_refused_until_staff_say_that_the_visitor_pays(now: datetime) -> None:
    corporate = acme()
    sponsored(now=now)
    other = with_code(RAVI, now=now)
    refused = refusal(lambda: approve(other, now))
    assert (refused.code, refused.context) == (Code.SPONSOR_DOES_NOT_COVER, {"why": sponsors.CoverageGap.USED_UP.value})
    booking = approve(other, now, pay_if_not_sponsored=True)
    assert (booking.state, booking.corporate, booking.sponsored_month) == (State.APPROVED, None, None)
    assert scenarios.notices_about(booking)[-2:] == [Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE]
    entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
    assert entry.details["not_sponsored_by"] == corporate.pk
    assert left(corporate, now)[0] == 0


def test_the_sponsor_pays_if_it_can_whatever_staff_allowed(now: datetime) -> None:
    acme()
    assert approve(with_code(now=now), now, pay_if_not_sponsored=True).state == State.CONFIRMED


SESSION_DAY = date(2026, 11, 26)  # now + LATER, in Kolkata
TERMS = [
    ({"ends_on": SESSION_DAY}, None),
    ({"ends_on": SESSION_DAY - DAY}, sponsors.CoverageGap.ENDED),
    ({"starts_on": SESSION_DAY}, None),
    ({"starts_on": SESSION_DAY + DAY}, sponsors.CoverageGap.NOT_BEGUN),
    ({"is_active": False}, sponsors.CoverageGap.INACTIVE),
    ({"sessions_a_month": 0}, sponsors.CoverageGap.USED_UP),
    ({"sessions_a_month": None}, None),
]


@pytest.mark.parametrize(("terms", "gap"), TERMS)
def test_the_contract_is_judged_by_the_day_of_the_session(
    terms: dict[str, Any], gap: sponsors.CoverageGap | None, now: datetime
) -> None:
    acme(**terms)
    booking = with_code(now=now)
    if gap is None:
        assert approve(booking, now).state == State.CONFIRMED
    else:
        assert refusal(lambda: approve(booking, now)).context == {"why": gap.value}


def test_a_free_session_takes_nothing(now: datetime) -> None:
    corporate = acme()
    assert approve(with_code(now=now), now, amount_paise=0).state == State.CONFIRMED
    assert left(corporate, now)[0] == 1


def test_a_sponsor_named_after_approval_must_have_a_session_left(now: datetime) -> None:
    corporate = acme()
    sponsored(now=now)
    booking = scenarios.approved(RAVI, now=now, at=now + LATER)
    refused = refusal(lambda: front_desk.sponsor(booking.pk, corporate.pk, now=now, **STAFF))
    assert refused.code is Code.SPONSOR_DOES_NOT_COVER
    assert scenarios.again(booking).corporate is None


# -- giving back ------------------------------------------------------------------------------------------------------


def cancel_by_mail(booking: Booking, now: datetime) -> Booking:
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    token = scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)
    return cancellation.confirm_cancellation(token, now=now)


def test_a_timely_cancellation_gives_the_session_back(now: datetime) -> None:
    corporate = acme()
    booking = cancel_by_mail(sponsored(now=now), now)
    assert (booking.reason, booking.sponsorship_returned_at) == (Reason.BY_VISITOR, now)
    assert left(corporate, now)[0] == 1
    assert sponsored(RAVI, now=now).state == State.CONFIRMED


def test_a_late_cancellation_does_not(now: datetime) -> None:
    corporate = acme()
    booking = sponsored(now=now)
    late = now + LATER - timedelta(hours=23)
    token = scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.CANCEL_LATE)
    assert cancellation.confirm_cancellation(token, now=late).reason == Reason.CANCELLED_LATE
    assert left(corporate, now)[0] == 0


def test_a_cancellation_by_staff_gives_it_back(now: datetime) -> None:
    corporate = acme()
    cancellation.cancel_by_staff(
        sponsored(now=now).pk, note_to_visitor="", refund=RefundChoice.FULL, refund_reason="", now=now, **STAFF
    )
    assert left(corporate, now)[0] == 1


def test_a_session_that_we_missed_is_given_back_until_the_outcome_is_corrected(now: datetime) -> None:
    corporate = acme()
    booking = sponsored(now=now)
    after = now + LATER + timedelta(hours=2)
    timers.complete_session(booking.pk, now=after)
    for outcome, expected in ((Outcome.PRACTICE_ABSENT, 1), (Outcome.PRACTICE_ABSENT, 1), (Outcome.ATTENDED, 0)):
        front_desk.record_outcome(booking.pk, outcome, now=after, **STAFF)
        assert left(corporate, now)[0] == expected
    assert queries.payment_status_value(scenarios.again(booking)) == "sponsored"
    front_desk.record_outcome(booking.pk, Outcome.NO_SHOW, now=after, **STAFF)
    assert left(corporate, now)[0] == 0


def test_a_correction_is_not_refused_though_others_had_the_last_session_since(now: datetime) -> None:
    corporate = acme()
    booking = sponsored(now=now)
    after = now + LATER + timedelta(hours=2)
    timers.complete_session(booking.pk, now=after)
    front_desk.record_outcome(booking.pk, Outcome.PRACTICE_ABSENT, now=after, **STAFF)
    sponsored(RAVI, now=now)
    front_desk.record_outcome(booking.pk, Outcome.ATTENDED, now=after, **STAFF)
    assert sponsors.outlook(corporate, now=now)[0].used == 2


# -- moving -----------------------------------------------------------------------------------------------------------


def test_a_moved_session_counts_in_its_new_month(now: datetime) -> None:
    corporate = acme()
    booking = reschedule(sponsored(now=now).pk, Move(now + LATER + DAY), now=now, **STAFF)
    assert left(corporate, now) == [0, 1, 1]
    reschedule(booking.pk, Move(now + 10 * DAY), now=now, **STAFF)
    assert left(corporate, now) == [1, 0, 1]


def test_a_move_into_a_month_that_is_used_up_is_refused(now: datetime) -> None:
    acme()
    sponsored(now=now, at=now + 10 * DAY)
    booking = sponsored(RAVI, now=now)
    refused = refusal(lambda: reschedule(booking.pk, Move(now + 12 * DAY), now=now, **STAFF))
    assert refused.code is Code.MONTH_NOT_SPONSORED
    assert scenarios.again(booking).slot_start == now + LATER


def test_a_session_that_we_missed_counts_again_when_it_is_moved(now: datetime) -> None:
    corporate, booking = acme(), sponsored(now=now)
    front_desk.record_outcome(booking.pk, Outcome.PRACTICE_ABSENT, now=now + LATER, **STAFF)
    reschedule(booking.pk, Move(now + 10 * DAY), now=now + LATER, **STAFF)
    assert left(corporate, now) == [1, 0, 1]
