"""The desk: rejecting, moving, money in hand, sponsors, callers, outcomes, more time, and asking again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings import payment_status, policy, queries
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import desk_money, enquiries, front_desk, inbox, payments, refunds, timers, visitor
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import ACTIVE, Reason, State
from backend.bookings.models import Booking, LedgerEntry, Link, Origin, Outcome, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message
from backend.payments.gateway import Event, EventKind, RefundOrderState, RefundReport
from backend.payments.models import Payment, PaymentMethod, PaymentState, Refund, RefundState
from backend.people.models import Corporate, Enquiry, Location
from tests.support import scenarios
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
STAFF = {"actor": "staff:desk"}


def code_of(call) -> Code:
    rows = LedgerEntry.objects.count(), Message.objects.count(), SlotClaim.objects.count(), Payment.objects.count()
    with pytest.raises(Refused) as refused:
        call()
    assert rows == (
        LedgerEntry.objects.count(),
        Message.objects.count(),
        SlotClaim.objects.count(),
        Payment.objects.count(),
    )
    return refused.value.code


def test_a_rejected_request_is_closed_and_the_visitor_reads_why(now: datetime) -> None:
    booking = staff.reject(scenarios.pending(now=now).pk, note_to_visitor=" Fully booked. ", now=now, **STAFF)
    assert (booking.state, booking.reason, booking.note_to_visitor) == (
        State.REJECTED,
        Reason.DECLINED,
        "Fully booked.",
    )
    assert scenarios.notices_about(booking)[-1] == Notice.BOOKING_REJECTED
    assert code_of(lambda: staff.reject(booking.pk, note_to_visitor="", now=now, **STAFF)) is Code.STATE_REFUSES


def test_a_move_keeps_id_payment_and_claim_and_tells_both_sides(now: datetime) -> None:
    start = scenarios.slot_tomorrow(now) + timedelta(days=2)
    booking = scenarios.confirmed(now=now, at=start)
    claim = SlotClaim.objects.get()
    moved = reschedule(booking.pk, Move(start + timedelta(minutes=30)), now=now, **STAFF)
    assert (moved.pk, moved.state, moved.slot_start) == (booking.pk, State.CONFIRMED, start + timedelta(minutes=30))
    assert moved.due_at == moved.slot_end + policy.COMPLETE_AFTER
    after = SlotClaim.objects.get()
    assert (after.pk, after.blocked_from) == (claim.pk, start + timedelta(minutes=30))
    entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
    assert (entry.intent, entry.source, entry.target) == ("reschedule", State.CONFIRMED, State.CONFIRMED)
    assert entry.details["from"] == start.isoformat()
    assert {Notice.BOOKING_MOVED, Notice.PSYCHOLOGIST_SESSION_MOVED} <= set(scenarios.notices_about(booking))
    old = Link.objects.filter(purpose=Purpose.CANCEL_LATE, created_at=now, expires_at=now)
    assert old.exists()


def test_a_move_to_another_psychologist_tells_the_old_and_the_new_one(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    other = scenarios.psychologist(
        "Dr. Other", email="other@example.org", meeting_link="https://meet.example.org/other"
    )
    moved = reschedule(booking.pk, Move(scenarios.slot_tomorrow(now, 9), psychologist_id=other.pk), now=now, **STAFF)
    assert (moved.psychologist, moved.meeting_link) == (other, other.meeting_link)
    told = Message.objects.filter(booking_id=booking.pk, kind__startswith="psychologist_").order_by("pk")
    assert list(told.values_list("kind", "recipient"))[-2:] == [
        (Notice.PSYCHOLOGIST_SESSION_CANCELLED, "meera@example.org"),
        (Notice.PSYCHOLOGIST_SESSION_CONFIRMED, "other@example.org"),
    ]


def test_a_session_that_was_missed_and_is_moved_has_no_outcome_yet(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    begun = booking.slot_start + timedelta(minutes=20)
    front_desk.record_outcome(booking.pk, Outcome.NO_SHOW, now=begun, **STAFF)
    moved = reschedule(booking.pk, Move(begun + timedelta(days=3)), now=begun, **STAFF)
    assert moved.outcome == scenarios.again(booking).outcome == Outcome.UNRECORDED
    assert LedgerEntry.objects.get(booking=booking, intent="record_outcome").details["to"] == Outcome.NO_SHOW


def test_a_move_only_ever_shortens_the_time_to_pay(now: datetime) -> None:
    start = scenarios.slot_tomorrow(now)
    booking = scenarios.approved(now=now, at=start)
    later = reschedule(booking.pk, Move(start + timedelta(days=5)), now=now, **STAFF)
    assert (later.pay_by, later.due_at) == (booking.pay_by, booking.due_at)
    sooner = reschedule(booking.pk, Move(now + timedelta(hours=4)), now=now, **STAFF)
    assert sooner.pay_by == now + timedelta(hours=3)
    assert sooner.due_at == sooner.pay_by + policy.PAY_GRACE


def test_a_move_is_refused_where_the_slot_or_the_state_does_not_allow_it(now: datetime) -> None:
    who, start = scenarios.psychologist(), scenarios.slot_tomorrow(now)
    booking = scenarios.approved(now=now, who=who, at=start)
    scenarios.approved(RAVI, now=now, who=who, at=start + timedelta(hours=3))
    taken = Move(start + timedelta(hours=3, minutes=30))
    assert code_of(lambda: reschedule(booking.pk, taken, now=now, **STAFF)) is Code.SLOT_TAKEN
    past = Move(now - timedelta(hours=1))
    assert code_of(lambda: reschedule(booking.pk, past, now=now, **STAFF)) is Code.SLOT_PAST
    nobody = Move(start, psychologist_id=999)
    assert code_of(lambda: reschedule(booking.pk, nobody, now=now, **STAFF)) is Code.PSYCHOLOGIST_REQUIRED
    fresh = scenarios.pending("third@example.org", now=now)
    move = Move(start + timedelta(days=1))
    assert code_of(lambda: reschedule(fresh.pk, move, now=now, **STAFF)) is Code.STATE_REFUSES


@pytest.mark.parametrize("paying", [False, True])
def test_money_at_the_desk_confirms_and_ends_an_open_attempt(paying: bool, now: datetime) -> None:
    booking = scenarios.paying(now=now)[0] if paying else scenarios.approved(now=now)
    paid = desk_money.record_desk_payment(booking.pk, now=now, **STAFF)
    assert paid.state == State.CONFIRMED
    payment = Payment.objects.get(method=PaymentMethod.DESK)
    assert (payment.state, payment.captured_paise) == (PaymentState.CAPTURED, 150_000)
    assert not Payment.objects.filter(state=PaymentState.OPEN).exists()
    assert queries.payment_status_value(scenarios.again(booking)) == "paid"
    assert code_of(lambda: desk_money.record_desk_payment(booking.pk, now=now, **STAFF)) is Code.ALREADY_PAID


def test_an_online_capture_after_money_at_the_desk_goes_back(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    desk_money.record_desk_payment(booking.pk, now=now, **STAFF)
    outcome = payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    assert outcome is payments.ReportOutcome.RETURNED
    assert {Notice.PAYMENT_RETURNED, Notice.STAFF_UNEXPECTED_MONEY} <= set(scenarios.notices_about(booking))


def test_a_session_due_at_the_practice_is_paid_there_without_a_transition(now: datetime) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    booking = scenarios.approved(
        now=now, who=scenarios.psychologist(location=place), mode="OFFLINE", payment_mode="OFFLINE"
    )
    assert (booking.state, queries.payment_status_value(booking)) == (State.CONFIRMED, "due_at_practice")
    desk_money.record_desk_payment(booking.pk, now=now, **STAFF)
    assert (scenarios.again(booking).state, queries.payment_status_value(scenarios.again(booking))) == (
        State.CONFIRMED,
        "paid",
    )


def test_a_refund_of_desk_money_is_handed_out_by_staff(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    desk_money.record_desk_payment(booking.pk, now=now, **STAFF)
    refund = refunds.grant_refund(booking.pk, None, now=now, **STAFF)
    assert not Message.objects.filter(kind="make_refund").exists()
    assert Notice.STAFF_REFUND_DUE in scenarios.notices_about(booking)
    for _ in range(2):
        refunds.record_refund_made(refund.pk, now=now, **STAFF)
    assert Refund.objects.get().state == RefundState.DONE
    assert scenarios.notices_about(booking).count(Notice.REFUND_MADE) == 1


@pytest.mark.parametrize(
    ("state", "after", "notice"),
    [
        (RefundOrderState.DONE, RefundState.DONE, Notice.REFUND_MADE),
        (RefundOrderState.REFUSED, RefundState.REFUSED, Notice.STAFF_REFUND_DUE),
        (RefundOrderState.PENDING, RefundState.QUEUED, None),
    ],
)
def test_what_the_gateway_says_of_a_refund_is_recorded_once(state, after, notice, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, 50_000, now=now, **STAFF)
    report = RefundReport(refund.reference, "rf_1", state, 50_000)
    refunds.record_refund(refund.pk, report, now=now)
    event = Event("evt_r", EventKind.REFUND_DONE, None, report)
    assert inbox.receive_event("sandbox", event, now=now) is payments.ReportOutcome.UNCHANGED
    assert Refund.objects.get().state == after
    assert scenarios.notices_about(booking).count(notice) == (1 if notice else 0)


def test_a_refused_refund_can_be_settled_by_hand(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, now=now, **STAFF)
    refunds.record_refund(
        refund.pk, RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise), now=now
    )
    assert payment_status.refundable_paise(Payment.objects.get()) == 150_000
    refunds.record_refund_made(refund.pk, now=now, **STAFF)
    assert queries.payment_status_value(scenarios.again(booking)) == "refunded"


def test_a_refund_on_its_way_at_the_gateway_is_not_paid_out_at_the_desk_too(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, now=now, **STAFF)
    made = lambda: refunds.record_refund_made(refund.pk, now=now, **STAFF)  # noqa: E731
    assert code_of(made) is Code.REFUND_AT_GATEWAY


def test_a_refused_refund_that_was_granted_again_is_not_paid_out_twice(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, now=now, **STAFF)
    refunds.record_refund(
        refund.pk, RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise), now=now
    )
    refunds.grant_refund(booking.pk, 1, now=now, **STAFF)
    made = lambda: refunds.record_refund_made(refund.pk, now=now, **STAFF)  # noqa: E731
    assert code_of(made) is Code.REFUND_EXCEEDS_CAPTURE


def test_a_sponsor_noted_before_approval_leaves_nothing_to_pay(now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme")
    booking = front_desk.sponsor(scenarios.pending(now=now).pk, acme.pk, now=now, **STAFF)
    assert booking.state == State.PENDING
    approval = staff.Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now))
    assert staff.approve(booking.pk, approval, now=now, **STAFF).state == State.CONFIRMED


@pytest.mark.parametrize("paying", [False, True])
def test_a_sponsor_after_approval_confirms(paying: bool, now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme")
    booking = scenarios.paying(now=now)[0] if paying else scenarios.approved(now=now)
    sponsored = front_desk.sponsor(booking.pk, acme.pk, now=now, **STAFF)
    assert sponsored.state == State.CONFIRMED
    assert queries.payment_status_value(scenarios.again(booking)) == "sponsored"


def test_a_sponsor_is_refused_when_unknown_or_too_late(now: datetime) -> None:
    gone = Corporate.objects.create(name="Gone", is_active=False)
    acme = Corporate.objects.create(name="Acme")
    booking = scenarios.confirmed(now=now)
    assert code_of(lambda: front_desk.sponsor(booking.pk, gone.pk, now=now, **STAFF)) is Code.SPONSOR_UNKNOWN
    assert code_of(lambda: front_desk.sponsor(booking.pk, acme.pk, now=now, **STAFF)) is Code.ALREADY_PAID
    draft = scenarios.submitted(RAVI, now=now)
    assert code_of(lambda: front_desk.sponsor(draft.pk, acme.pk, now=now, **STAFF)) is Code.STATE_REFUSES


def test_staff_create_a_booking_that_is_born_proved_beside_the_callers_own(now: datetime) -> None:
    own = scenarios.pending(now=now)
    booking = front_desk.create_by_staff(scenarios.draft_of(now=now), now=now, **STAFF).booking
    assert (booking.state, booking.origin, booking.verified_at) == (State.PENDING, Origin.STAFF, now)
    assert booking.acknowledgement_id.startswith("MS-")
    assert scenarios.notices_about(booking)[0] == Notice.BOOKING_RECEIVED
    assert Booking.objects.filter(email=ASHA, state__in=ACTIVE).count() == 2
    assert LedgerEntry.objects.values_list("source", "target", "actor").get(booking=booking) == (
        "",
        State.PENDING,
        "staff:desk",
    )
    assert scenarios.again(own).state == State.PENDING


def test_a_call_that_arrives_twice_counts_once_however_much_came_between(now: datetime) -> None:
    draft = scenarios.draft_of(now=now)
    first = front_desk.create_by_staff(draft, now=now, **STAFF)
    for number in range(12):  # as many as a series of follow-ups may have
        assert front_desk.create_by_staff(
            scenarios.draft_of(now=now, full_name=f"Child {number}"), now=now, **STAFF
        ).is_new
    again = front_desk.create_by_staff(draft, now=now, **STAFF)
    assert (again.booking, again.is_new) == (first.booking, False)


@pytest.mark.parametrize(
    ("after_start", "code"),
    [
        (-policy.ARRIVAL_OPENS - timedelta(seconds=1), Code.OUTCOME_CLOSED),
        (timedelta(0), None),
        (timedelta(hours=1, days=7, seconds=-1), None),
        (timedelta(hours=1, days=7), Code.OUTCOME_CLOSED),
    ],
)
def test_an_outcome_is_recorded_from_the_start_until_seven_days_after(
    after_start: timedelta, code: Code | None, now: datetime
) -> None:
    booking = scenarios.confirmed(now=now)
    at = booking.slot_start + after_start
    if booking.due_at <= at:
        timers.complete_session(booking.pk, now=at)
    record = lambda outcome: front_desk.record_outcome(booking.pk, outcome, now=at, **STAFF)  # noqa: E731
    if code:
        assert code_of(lambda: record(Outcome.ATTENDED)) is code
        return
    record(Outcome.ATTENDED)
    corrected = record(Outcome.NO_SHOW)
    assert corrected.outcome == Outcome.NO_SHOW
    entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
    assert entry.details == {"from": "attended", "to": "no_show"}


@pytest.mark.parametrize("before", [policy.ARRIVAL_OPENS, timedelta(seconds=1)])
def test_before_the_session_only_who_came_is_recorded_and_taken_back(before: timedelta, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    at = booking.slot_start - before
    record = lambda outcome: front_desk.record_outcome(booking.pk, outcome, now=at, **STAFF)  # noqa: E731
    for outcome in (Outcome.NO_SHOW, Outcome.PRACTICE_ABSENT):
        assert code_of(lambda outcome=outcome: record(outcome)) is Code.OUTCOME_CLOSED
    assert record(Outcome.ATTENDED).outcome == Outcome.ATTENDED
    assert record(Outcome.UNRECORDED).outcome == Outcome.UNRECORDED


def test_an_outcome_needs_a_session(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    record = lambda: front_desk.record_outcome(booking.pk, Outcome.ATTENDED, now=now, **STAFF)  # noqa: E731
    assert code_of(record) is Code.STATE_REFUSES


@pytest.mark.parametrize("name", ["draft", "request", "approval"])
def test_after_an_outage_deadlines_can_be_extended(name: str, now: datetime) -> None:
    make = {"draft": scenarios.submitted, "request": scenarios.pending, "approval": scenarios.approved}[name]
    booking = make(now=now)
    assert front_desk.extend_deadline(booking.pk, State(booking.state), timedelta(hours=6), now=now, **STAFF)
    after = scenarios.again(booking)
    if name == "approval":
        assert after.pay_by == min(booking.pay_by + timedelta(hours=6), booking.slot_start)
        assert after.due_at <= booking.slot_start
    else:
        assert after.due_at == booking.due_at + timedelta(hours=6)
    if name == "draft":
        assert visitor.verify_email(scenarios.token_of(booking), now=booking.due_at).state == State.PENDING
    assert not front_desk.extend_deadline(booking.pk, State.CONFIRMED, timedelta(hours=6), now=now, **STAFF)


def test_an_unanswered_visitor_asks_again_by_one_click_and_goes_to_the_top(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    timers.close_unanswered(booking.pk, now=booking.due_at)
    token = scenarios.token_of(booking, Notice.BOOKING_UNANSWERED, Purpose.AGAIN)
    at = booking.due_at + timedelta(days=13)
    again = visitor.request_again(token, now=at)
    assert (again.state, again.is_priority, again.origin) == (State.PENDING, True, Origin.VISITOR)
    assert (again.full_name, again.user_message) == (booking.full_name, booking.user_message)
    assert again.consent_given_at == booking.consent_given_at  # a click on a mail accepts no notice
    assert again.preferred_date >= at.date()
    assert visitor.request_again(token, now=at).pk == again.pk
    assert Booking.objects.filter(state=State.PENDING).count() == 1


def test_asking_again_is_refused_late_or_beside_another_booking(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    timers.close_unanswered(booking.pk, now=booking.due_at)
    token = scenarios.token_of(booking, Notice.BOOKING_UNANSWERED, Purpose.AGAIN)
    late = booking.due_at + policy.AGAIN_LINK_LIFETIME
    assert code_of(lambda: visitor.request_again(token, now=late)) is Code.LINK_EXPIRED
    scenarios.pending(now=booking.due_at)
    assert code_of(lambda: visitor.request_again(token, now=booking.due_at)) is Code.ALREADY_ACTIVE
    assert Link.objects.get(purpose=Purpose.AGAIN).spent_at is None


def test_an_unanswered_request_warns_staff_managers_and_the_visitor_in_open_time(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    turns = dict(Message.objects.filter(booking_id=booking.pk).values_list("kind", "not_before"))
    assert turns[Notice.STAFF_BOOKING_WAITING] == now + timedelta(hours=24)
    assert turns[Notice.MANAGER_BOOKING_OVERDUE] == turns[Notice.ANSWER_LATE] == now + timedelta(hours=48)


def test_an_enquiry_is_kept_and_mailed_and_all_together_are_limited(now: datetime, monkeypatch) -> None:
    monkeypatch.setattr(policy, "ENQUIRIES_ALL", 2)
    for _ in range(2):
        enquiries.receive_enquiry("Hello", "private words", now=now)
    assert code_of(lambda: enquiries.receive_enquiry("Hello", "more", now=now)) is Code.TOO_MANY_ENQUIRIES
    assert Enquiry.objects.count() == 2
    assert Message.objects.filter(kind=Notice.STAFF_ENQUIRY_RECEIVED).count() == 2
    enquiries.receive_enquiry("Hello", "later", now=now + timedelta(hours=1))
