"""A decision of the desk, taken back: everything stands as before, nothing leaves, and the window ends by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine

from backend.bookings import payment_status, policy
from backend.bookings.lifecycle import approval, attempts, cancellation, erasure, payments, refunds, visitor
from backend.bookings.lifecycle.alternatives import OfferedSlot
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.lifecycle.undo import undo_decision
from backend.bookings.machine import State
from backend.bookings.models import Booking, RequestState
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.models import Refund, RefundState
from backend.people.models import Corporate, Psychologist
from tests.model.snapshot import Snapshot, SnapshotReader
from tests.support import holder, scenarios
from tests.support.factories import make_data_request
from tests.support.mail_provider import PROVIDER, EmailBackend, ProviderMode
from workers import mail

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("sandbox_payments")]
SECOND = timedelta(seconds=1)
Decide = Callable[[Booking, datetime], Booking]


def approve(booking: Booking, now: datetime, **changes: object) -> Booking:
    who = Psychologist.objects.first() or scenarios.psychologist()
    at = scenarios.slot_tomorrow(now)
    return approval.approve(booking.pk, Approval(who.pk, at, is_undoable=True, **changes), actor="staff:desk", now=now)


def reject(booking: Booking, now: datetime) -> Booking:
    offers = [OfferedSlot(scenarios.psychologist("Dr. New").pk, now + timedelta(days=9))]
    return approval.reject(
        booking.pk,
        note_to_visitor="We are full.",
        offers=offers,
        guardian_consent=scenarios.GUARDIAN,
        actor="staff:desk",
        now=now,
        is_undoable=True,
    )


def cancel(booking: Booking, now: datetime, refund: RefundChoice = RefundChoice.FULL) -> Booking:
    return cancellation.cancel_by_staff(
        booking.pk,
        note_to_visitor="We are ill.",
        refund=refund,
        refund_reason="Agreed.",
        actor="staff:desk",
        now=now,
        is_undoable=True,
    )


def undo(booking: Booking, now: datetime) -> Booking:
    return undo_decision(booking.pk, actor="staff:desk", now=now)


def code_of(act: Callable[[], object]) -> Code:
    before = SnapshotReader().take()
    with pytest.raises(Refused) as refused:
        act()
    assert SnapshotReader().take() == before
    return refused.value.code


# -- everything stands as before ---------------------------------------------------------------------------------------


def a_minor(*, now: datetime) -> Booking:
    return scenarios.pending(now=now, age=15)


def asked_to_cancel(*, now: datetime) -> Booking:
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=5))
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    return scenarios.again(booking)


def moved(*, now: datetime) -> Booking:
    """Its first mail's links ended with the move, and stay so."""
    booking = scenarios.confirmed(now=now)
    return reschedule(booking.pk, Move(now + timedelta(days=4)), actor="staff:desk", now=now + SECOND)


def sponsored(*, now: datetime) -> Booking:
    Corporate.objects.create(name="Acme", code="ACME", sessions_a_month=1)
    booking = scenarios.pending(now=now, sponsor_code="ACME")
    plain = Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now))
    return approval.approve(booking.pk, plain, actor="staff:desk", now=now)


def with_a_sponsor_named(*, now: datetime) -> Booking:
    Corporate.objects.create(name="Acme", code="ACME", sessions_a_month=0)
    return scenarios.pending(now=now, sponsor_code="ACME")


def of_a_minor(booking: Booking, now: datetime) -> Booking:
    return approve(booking, now, guardian_consent=scenarios.GUARDIAN)


def for_nothing(booking: Booking, now: datetime) -> Booking:
    return approve(booking, now, amount_paise=0)


def at_own_cost(booking: Booking, now: datetime) -> Booking:
    return approve(booking, now, pay_if_not_sponsored=True)


CASES: list[tuple[Callable[..., Booking], Decide]] = [
    (scenarios.pending, approve),
    (scenarios.pending, for_nothing),
    (a_minor, of_a_minor),
    (with_a_sponsor_named, at_own_cost),
    (scenarios.pending, reject),
    (a_minor, reject),
    (scenarios.pending, cancel),
    (scenarios.approved, cancel),
    (scenarios.confirmed, cancel),
    (asked_to_cancel, cancel),
    (moved, cancel),
    (sponsored, cancel),
]


def standing(seen: Snapshot) -> dict[str, object]:
    """All but what tells of the undoing itself: the ledger, and the rows that it left behind settled."""
    changing = {"ledger_sequence", "undo_until"}
    return {
        "bookings": [{k: v for k, v in vars(row).items() if k not in changing} for row in seen.bookings.values()],
        "claims": [(row.booking_id, row.psychologist_id, row.blocked_from) for row in seen.claims.values()],
        "links": seen.links,
        "alternatives": seen.alternatives,
        "payments": seen.payments,
        "left": {payment.id: seen.left_paise(payment) for payment in seen.payments.values()},
        "owed": [row for row in seen.messages.values() if row.state == "waiting"],
    }


@pytest.mark.parametrize(("make", "decide"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_undone_within_the_window_everything_stands_as_before(
    make: Callable[..., Booking], decide: Decide, now: datetime
) -> None:
    booking = make(now=now)
    later = now + timedelta(minutes=5)
    before = SnapshotReader().take()
    decided = decide(booking, later)
    assert decided.undo_until == later + policy.UNDO_WINDOW
    owed = [row for row in SnapshotReader().take().messages.values() if row.id not in before.messages]
    assert owed
    assert all(row.not_before >= decided.undo_until for row in owed)
    undo(booking, decided.undo_until - SECOND)
    after = SnapshotReader().take()
    assert standing(after) == standing(before)
    assert {after.messages[row.id].state for row in owed} == {MessageState.OBSOLETE}
    assert {refund.state for refund in after.refunds.values()} <= {RefundState.WITHDRAWN}
    assert decide(scenarios.again(booking), later + timedelta(minutes=2)).state == decided.state


def test_an_attempt_to_pay_that_the_cancellation_ended_stays_ended(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    cancel(booking, now)
    undone = undo(booking, now)
    assert (undone.state, undone.due_at) == (State.APPROVED, undone.pay_by + policy.PAY_GRACE)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)  # and yet it may pay
    assert scenarios.again(booking).state == State.CONFIRMED


# -- until when --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("later", "is_open"), [(-SECOND, True), (timedelta(0), False), (SECOND, False)])
def test_the_window_ends_at_its_end(later: timedelta, is_open: bool, now: datetime) -> None:
    booking = approve(scenarios.pending(now=now), now)
    at = now + policy.UNDO_WINDOW + later
    if is_open:
        assert undo(booking, at).state == State.PENDING
    else:
        assert code_of(lambda: undo(booking, at)) == Code.UNDO_CLOSED


def test_a_second_undo_is_refused(now: datetime) -> None:
    booking = reject(scenarios.pending(now=now), now)
    undo(booking, now)
    assert code_of(lambda: undo(booking, now)) == Code.UNDO_CLOSED


def test_doors_that_do_not_ask_for_it_and_sessions_that_are_near_have_no_window(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scenarios.approved(now=now).undo_until is None
    other = scenarios.psychologist("Dr. Near")
    near = scenarios.approved("ravi@example.org", now=now, who=other, at=now + timedelta(hours=2))
    assert cancel(near, now).undo_until is None
    assert Message.objects.filter(booking_id=near.pk, kind=Notice.BOOKING_CANCELLED, not_before=now).exists()
    monkeypatch.setattr(policy, "UNDO_WINDOW", timedelta(0))
    assert reject(scenarios.pending("leela@example.org", now=now), now).undo_until is None


def begin_to_pay(booking: Booking, now: datetime) -> None:
    attempts.start_payment(booking.acknowledgement_id, now=now)


def move(booking: Booking, now: datetime) -> None:
    reschedule(booking.pk, Move(now + timedelta(days=3)), actor="staff:desk", now=now)


@pytest.mark.parametrize("act", [begin_to_pay, move, cancel])
def test_whatever_happens_next_ends_the_window_and_what_was_held_leaves_in_its_order(
    act: Callable[[Booking, datetime], object], now: datetime
) -> None:
    booking = approve(scenarios.pending(now=now), now)
    at = now + 10 * SECOND
    act(booking, at)
    approved_mail = Message.objects.get(kind=Notice.BOOKING_APPROVED)
    assert (approved_mail.not_before, approved_mail.next_attempt_at) == (at, at)
    assert Message.objects.get(kind=Notice.PAYMENT_STILL_DUE).not_before > now + timedelta(hours=1)
    if act is cancel:
        assert undo(booking, at).state == State.APPROVED  # the newer decision has a window of its own
    assert code_of(lambda: undo(booking, at)) == Code.UNDO_CLOSED


def test_a_clock_that_was_set_back_leaves_no_window_and_no_mail_waiting(now: datetime) -> None:
    booking = approve(scenarios.pending(now=now), now)
    back = now - timedelta(hours=1)
    assert code_of(lambda: undo(booking, back)) == Code.UNDO_CLOSED
    messages.mend_turns(now=back, held_for=policy.UNDO_WINDOW)
    assert Message.objects.get(kind=Notice.BOOKING_APPROVED).next_attempt_at == back


# -- what can come between ---------------------------------------------------------------------------------------------


def test_what_was_erased_while_the_clock_was_back_is_not_undone(now: datetime) -> None:
    booking = reject(scenarios.pending(now=now), now)
    wish = make_data_request(RequestState.WAITING, booking=booking, now=now - timedelta(days=30))
    erasure.carry_out(wish.pk, now=now - timedelta(hours=1))
    assert scenarios.again(booking).undoable_until(now + SECOND) is None  # no page offers it
    with pytest.raises(Refused) as refused:
        undo_decision(booking.pk, actor="staff:desk", now=now + SECOND)
    assert refused.value.code == Code.UNDO_CLOSED


def test_what_a_worker_has_begun_is_not_taken_back(now: datetime) -> None:
    """Its clock is ahead of ours."""
    booking = approve(scenarios.pending(now=now), now)
    ahead = now + policy.UNDO_WINDOW
    (row,) = (row for row in messages.claim(Queue.MAIL, now=ahead) if row.kind == Notice.BOOKING_APPROVED)
    assert holder.begin_attempt(row, now=ahead)
    assert code_of(lambda: undo(booking, now)) == Code.UNDO_CLOSED


def test_what_a_worker_has_claimed_and_not_begun_is_taken_from_it(now: datetime) -> None:
    booking = cancel(scenarios.confirmed(now=now), now)
    *_, row = messages.claim(Queue.PAYMENTS, now=now + policy.UNDO_WINDOW)
    assert row.kind == "make_refund"
    undo(booking, now)
    assert not holder.begin_attempt(row, now=now + policy.UNDO_WINDOW)
    assert payment_status.left_paise(booking) == booking.amount_paise


def test_a_slot_that_somebody_has_by_now_is_not_promised_again(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    cancel(booking, now)
    scenarios.approved("ravi@example.org", now=now, who=booking.psychologist, at=booking.slot_start)
    assert code_of(lambda: undo(booking, now)) == Code.SLOT_TAKEN


@pytest.mark.parametrize("decide", [cancel, reject])
def test_who_has_asked_anew_meanwhile_keeps_the_newer_request(decide: Decide, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    decide(booking, now)
    scenarios.pending(now=now, user_message="Once more.")
    assert code_of(lambda: undo(booking, now)) == Code.ALREADY_ACTIVE


def test_a_sponsored_session_that_another_took_meanwhile_is_not_overdrawn(now: datetime) -> None:
    booking = sponsored(now=now)
    cancel(booking, now)
    other = scenarios.pending("ravi@example.org", now=now, sponsor_code="ACME")
    terms = Approval(booking.psychologist_id, now + timedelta(days=2))
    assert approval.approve(other.pk, terms, actor="staff:desk", now=now).state == State.CONFIRMED
    assert code_of(lambda: undo(booking, now)) == Code.SPONSOR_DOES_NOT_COVER


def test_a_refund_that_was_withdrawn_cannot_be_handed_out(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    cancel(booking, now)
    undo(booking, now)
    withdrawn = Refund.objects.get().pk
    refused = code_of(lambda: refunds.record_refund_made(withdrawn, actor="staff:desk", now=now))
    assert refused == Code.REFUND_UNKNOWN


# -- nothing leaves meanwhile ------------------------------------------------------------------------------------------


def test_nobody_is_told_of_the_booking_while_it_can_be_undone(now: datetime, settings) -> None:
    """Neither by the decision's mails, nor by older ones, which may be true again."""
    settings.EMAIL_BACKEND, EmailBackend.mode = PROVIDER, ProviderMode.TAKES
    booking = scenarios.pending(now=now)
    approve(booking, now)
    visitor.request_link(booking.email, now=now)
    with time_machine.travel(now + policy.UNDO_WINDOW - SECOND, tick=False):
        mail.drain()
        assert not Message.objects.filter(booking_id=booking.pk, state=MessageState.DONE).exists()
        undo(booking, now + policy.UNDO_WINDOW - SECOND)
        mail.drain()
    told = Message.objects.filter(booking_id=booking.pk, state=MessageState.DONE).values_list("kind", flat=True)
    assert Notice.BOOKING_RECEIVED in told
    assert Notice.BOOKING_APPROVED not in told


def test_when_nobody_undoes_it_the_mails_leave_at_the_end_of_the_window(now: datetime, settings) -> None:
    settings.EMAIL_BACKEND, EmailBackend.mode = PROVIDER, ProviderMode.TAKES
    booking = approve(scenarios.pending(now=now), now)
    with time_machine.travel(now + policy.UNDO_WINDOW, tick=False):
        mail.drain()
    states = dict(Message.objects.filter(booking_id=booking.pk).values_list("kind", "state"))
    assert states[Notice.BOOKING_APPROVED] == MessageState.DONE
    assert states[Notice.BOOKING_RECEIVED] == MessageState.OBSOLETE
