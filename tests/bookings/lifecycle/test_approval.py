"""Staff approve a request."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings import policy
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle.approval import Approval
from backend.bookings.lifecycle.session_terms import GuardianConsent
from backend.bookings.machine import State
from backend.bookings.models import Booking, GuardianProof, LedgerEntry, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message
from backend.people.models import Corporate, Location
from tests.support import scenarios
from tests.support.scenarios import RAVI

pytestmark = pytest.mark.django_db


def refusal(booking: Booking, approval: Approval, now: datetime) -> Code:
    """What approving is refused with; nothing may have been written."""
    rows = LedgerEntry.objects.count(), Message.objects.count(), SlotClaim.objects.count()
    with pytest.raises(Refused) as refused:
        staff.approve(booking.pk, approval, actor="staff:desk", now=now)
    assert (LedgerEntry.objects.count(), Message.objects.count(), SlotClaim.objects.count()) == rows
    assert scenarios.again(booking).state == booking.state
    return refused.value.code


def test_approval_sets_slot_psychologist_amount_and_deadline_and_holds_the_slot(now: datetime) -> None:
    who, start = scenarios.psychologist(), scenarios.slot_tomorrow(now)
    booking = scenarios.approved(now=now, who=who, at=start)
    assert (booking.state, booking.psychologist, booking.slot_start) == (State.APPROVED, who, start)
    assert booking.slot_end == start + timedelta(minutes=60)
    assert booking.amount_paise == 150_000
    assert booking.meeting_link == who.meeting_link
    assert booking.pay_by == policy.pay_by(now, start)
    assert booking.due_at == booking.pay_by + timedelta(minutes=10)
    claim = SlotClaim.objects.get()
    assert (claim.blocked_from, claim.blocked_until) == (start, start + timedelta(minutes=75))
    assert scenarios.notices_about(booking)[-2:] == [Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE]
    half_time = now + (booking.pay_by - now) / 2  # in the evening, so the last minute before it is quiet
    assert half_time - timedelta(hours=2) < Message.objects.get(kind=Notice.PAYMENT_STILL_DUE).not_before < half_time


@pytest.mark.parametrize(
    ("lead", "pay_by_after"),
    [
        (timedelta(hours=48), timedelta(hours=24)),
        (timedelta(hours=24), timedelta(hours=23)),
        (timedelta(hours=3), timedelta(hours=2)),
        (timedelta(hours=1), timedelta(minutes=30)),
        (timedelta(minutes=30), timedelta(minutes=15)),
    ],
)
def test_pay_by_follows_its_formula(lead: timedelta, pay_by_after: timedelta, now: datetime) -> None:
    assert policy.pay_by(now, now + lead) == now + pay_by_after


def test_the_grace_never_reaches_past_the_start(now: datetime) -> None:
    assert policy.payment_deadline(now, now + timedelta(minutes=5)) == now + timedelta(minutes=5)


@pytest.mark.parametrize("state", [s for s in State if s != State.PENDING])
def test_only_a_pending_booking_can_be_approved(state: State, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    final = state in (State.COMPLETED, State.REJECTED, State.CANCELLED, State.PAYMENT_FAILED)
    Booking.objects.filter(pk=booking.pk).update(
        state=state, due_at=None if final else now, closed_at=now if final else None
    )
    approval = Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now))
    assert refusal(scenarios.again(booking), approval, now) is Code.STATE_REFUSES


def test_approval_without_a_psychologist_is_refused(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    away = scenarios.psychologist(is_active=False)
    for psychologist_id in (None, 999, away.pk):
        approval = Approval(psychologist_id, scenarios.slot_tomorrow(now))
        assert refusal(booking, approval, now) is Code.PSYCHOLOGIST_REQUIRED


@pytest.mark.parametrize(
    ("start_after", "length", "code"),
    [
        (timedelta(0), None, Code.SLOT_PAST),
        (timedelta(days=-1), None, Code.SLOT_PAST),
        (timedelta(minutes=29, seconds=59), None, Code.SLOT_TOO_NEAR),
        (timedelta(days=2), timedelta(0), Code.SLOT_INVALID),
        (timedelta(days=2), timedelta(hours=5), Code.SLOT_INVALID),
        (timedelta(days=400), None, Code.SLOT_INVALID),
    ],
)
def test_a_slot_that_cannot_be_is_refused(
    start_after: timedelta, length: timedelta | None, code: Code, now: datetime
) -> None:
    booking = scenarios.pending(now=now)
    assert refusal(booking, Approval(scenarios.psychologist().pk, now + start_after, length), now) is code


def test_an_online_session_needs_a_meeting_link(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    who = scenarios.psychologist(meeting_link="")
    assert refusal(booking, Approval(who.pk, scenarios.slot_tomorrow(now)), now) is Code.MEETING_LINK_REQUIRED
    approval = Approval(who.pk, scenarios.slot_tomorrow(now), meeting_link="https://meet.example.org/room")
    assert (
        staff.approve(booking.pk, approval, actor="staff:desk", now=now).meeting_link == "https://meet.example.org/room"
    )


def test_a_session_in_person_needs_an_address(now: datetime) -> None:
    booking = scenarios.pending(now=now, mode="OFFLINE")
    who = scenarios.psychologist()
    assert refusal(booking, Approval(who.pk, scenarios.slot_tomorrow(now)), now) is Code.ADDRESS_REQUIRED
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    approval = Approval(who.pk, scenarios.slot_tomorrow(now), location_id=place.pk)
    assert staff.approve(booking.pk, approval, actor="staff:desk", now=now).address == place.address


def test_a_minor_needs_the_guardians_consent_which_is_kept_with_who_how_and_when(now: datetime) -> None:
    booking = scenarios.pending(now=now, age=17)
    who = scenarios.psychologist()
    assert refusal(booking, Approval(who.pk, scenarios.slot_tomorrow(now)), now) is Code.GUARDIAN_CONSENT_REQUIRED
    unnamed = Approval(who.pk, scenarios.slot_tomorrow(now), guardian_consent=GuardianConsent(" ", GuardianProof.KNOWN))
    assert refusal(booking, unnamed, now) is Code.GUARDIAN_CONSENT_REQUIRED
    approval = Approval(who.pk, scenarios.slot_tomorrow(now), guardian_consent=scenarios.GUARDIAN)
    booking = staff.approve(booking.pk, approval, actor="staff:desk", now=now)
    assert (booking.guardian_consent_at, booking.guardian_consent_by) == (now, "staff:desk")
    booking = scenarios.again(booking)
    assert GuardianConsent(booking.guardian_name, booking.guardian_proof) == scenarios.GUARDIAN


@pytest.mark.parametrize("amount", [-1, 100_000_01])
def test_an_amount_out_of_bounds_is_refused(amount: int, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    approval = Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now), amount_paise=amount)
    assert refusal(booking, approval, now) is Code.AMOUNT_INVALID


def test_the_psychologists_fee_counts_unless_staff_change_it(now: datetime) -> None:
    who = scenarios.psychologist(fee_paise=200_000)
    assert scenarios.approved(now=now, who=who).amount_paise == 200_000


@pytest.mark.parametrize("why", ["due at the practice", "free", "sponsored"])
def test_nothing_to_pay_up_front_confirms_at_once(why: str, now: datetime) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    who = scenarios.psychologist(location=place)
    paid_at_desk = {"mode": "OFFLINE", "payment_mode": "OFFLINE"} if why == "due at the practice" else {}
    booking = scenarios.pending(now=now, **paid_at_desk)
    if why == "sponsored":
        Booking.objects.filter(pk=booking.pk).update(corporate=Corporate.objects.create(name="Acme"))
    approval = Approval(who.pk, scenarios.slot_tomorrow(now), amount_paise=0 if why == "free" else None)
    booking = staff.approve(booking.pk, approval, actor="staff:desk", now=now)
    assert booking.state == State.CONFIRMED
    assert booking.due_at == scenarios.slot_tomorrow(now) + timedelta(minutes=90)
    assert booking.pay_by is None
    assert Notice.BOOKING_CONFIRMED in scenarios.notices_about(booking)


def test_the_loser_of_a_slot_is_told_the_nearest_free_ones(now: datetime) -> None:
    who, start = scenarios.psychologist(), scenarios.slot_tomorrow(now)
    scenarios.approved(now=now, who=who, at=start)
    other = scenarios.pending(RAVI, now=now)
    with pytest.raises(Refused) as refused:
        staff.approve(other.pk, Approval(who.pk, start + timedelta(minutes=30)), actor="staff:desk", now=now)
    assert refused.value.code is Code.SLOT_TAKEN
    free = refused.value.context["free_slots"]
    assert isinstance(free, list)
    assert [slot.start - start for slot in free] == [timedelta(minutes=m) for m in (90, 120, -90)]


@pytest.mark.parametrize(
    ("offset", "is_free"),
    [
        (timedelta(minutes=75), True),
        (timedelta(minutes=74), False),
        (timedelta(minutes=-75), True),
        (timedelta(minutes=-74), False),
        (timedelta(0), False),
    ],
)
def test_slots_are_half_open_and_include_the_pause(offset: timedelta, is_free: bool, now: datetime) -> None:
    who, start = scenarios.psychologist(), scenarios.slot_tomorrow(now)
    scenarios.approved(now=now, who=who, at=start)
    other = scenarios.pending(RAVI, now=now)
    approval = Approval(who.pk, start + offset)
    if is_free:
        assert staff.approve(other.pk, approval, actor="staff:desk", now=now).state == State.APPROVED
    else:
        assert refusal(other, approval, now) is Code.SLOT_TAKEN


def test_two_psychologists_may_work_at_the_same_time(now: datetime) -> None:
    start = scenarios.slot_tomorrow(now)
    scenarios.approved(now=now, who=scenarios.psychologist("Dr. A"), at=start)
    assert scenarios.approved(RAVI, now=now, who=scenarios.psychologist("Dr. B"), at=start).state == State.APPROVED
