"""Calling off: asked, proved by mail, lapsed; by staff; what comes back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings import payment_status, policy, queries
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import cancellation, payments, refunds, visitor
from backend.bookings.lifecycle.cancellation import CalledOffBy, RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, LedgerEntry, Link, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.notifications import delivery
from backend.outbox.models import Message, MessageState
from backend.payments.models import Refund
from tests.support import scenarios
from tests.support.scenarios import RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
DAY = timedelta(days=1)


def code_of(call) -> Code:
    rows = LedgerEntry.objects.count(), Message.objects.count(), Refund.objects.count()
    with pytest.raises(Refused) as refused:
        call()
    assert (LedgerEntry.objects.count(), Message.objects.count(), Refund.objects.count()) == rows
    return refused.value.code


def far(now: datetime) -> datetime:
    return now + timedelta(days=5)


def ask(booking: Booking, now: datetime) -> str:
    """Ask for cancellation; the token of the mailed link."""
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    return scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)


def by_staff(booking: Booking, now: datetime, refund=RefundChoice.FULL, why: str = "") -> Booking:
    return cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="We are ill.", refund=refund, refund_reason=why, actor="staff:desk", now=now
    )


MAKERS = {"pending": scenarios.pending, "approved": scenarios.approved, "paying": lambda **k: scenarios.paying(**k)[0]}


@pytest.mark.parametrize("name", list(MAKERS))
def test_before_confirmation_asking_changes_nothing_and_the_mailed_link_cancels(name: str, now: datetime) -> None:
    booking = MAKERS[name](now=now)
    token = ask(booking, now)
    asked = scenarios.again(booking)
    assert (asked.state, asked.cancellation_requested_at) == (booking.state, now)
    cancelled = cancellation.confirm_cancellation(token, now=now + timedelta(minutes=5))
    assert (cancelled.state, cancelled.reason) == (State.CANCELLED, Reason.BY_VISITOR)
    assert cancelled.cancellation_requested_at is None
    assert not SlotClaim.objects.exists()
    assert scenarios.notices_about(booking)[-1] == Notice.BOOKING_CANCELLED


@pytest.mark.parametrize(("setting", "gets_back"), [("none", 0), ("full", 150_000)])
def test_a_timely_cancellation_of_a_paid_session_gives_back_what_the_policy_says(
    setting: str, gets_back: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", setting)
    booking = scenarios.confirmed(now=now, at=far(now))
    token = ask(booking, now)
    assert (
        cancellation.cancellation_terms(
            scenarios.again(booking), cancellation.find_cancel_link(token), now=now
        ).refund_paise
        == gets_back
    )
    cancellation.confirm_cancellation(token, now=now)
    assert sum(Refund.objects.values_list("amount_paise", flat=True)) == gets_back
    assert (Notice.REFUND_QUEUED in scenarios.notices_about(booking)) == bool(gets_back)
    assert Notice.PSYCHOLOGIST_SESSION_CANCELLED in scenarios.notices_about(booking)


@pytest.mark.parametrize(("before", "refused"), [(DAY, False), (DAY - timedelta(seconds=1), True)])
def test_a_confirmed_session_can_be_called_off_until_24_hours_before(
    before: timedelta, refused: bool, now: datetime
) -> None:
    booking = scenarios.confirmed(now=now, at=far(now))
    at = far(now) - before
    if refused:
        ask_late = lambda: cancellation.request_cancellation(booking.acknowledgement_id, now=at)  # noqa: E731
        assert code_of(ask_late) is Code.CANCEL_TOO_LATE
    else:
        assert ask(booking, at)


def test_asked_in_time_is_in_time_when_proved_within_the_hour(now: datetime, monkeypatch) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = scenarios.confirmed(now=now, at=far(now))
    token = ask(booking, far(now) - DAY)
    cancelled = cancellation.confirm_cancellation(token, now=far(now) - DAY + timedelta(minutes=59))
    assert cancelled.reason == Reason.BY_VISITOR
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(("minutes", "ok"), [(59, True), (60, False)])
def test_a_cancellation_link_lives_an_hour(minutes: int, ok: bool, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = ask(booking, now)
    at = now + timedelta(minutes=minutes)
    if ok:
        assert cancellation.confirm_cancellation(token, now=at).state == State.CANCELLED
    else:
        assert code_of(lambda: cancellation.confirm_cancellation(token, now=at)) is Code.LINK_EXPIRED
        assert code_of(lambda: cancellation.cancelled_by(token, now=at)) is Code.LINK_EXPIRED
        assert scenarios.again(booking).state == State.PENDING


def test_a_cancellation_that_is_not_proved_lapses_and_the_booking_stands(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    ask(booking, now)
    lapse_at = now + policy.CANCEL_LINK_LIFETIME
    assert not queries.cancellations_to_lapse(now=lapse_at - timedelta(seconds=1))
    cancellation.lapse_cancellation(booking.pk, now=lapse_at - timedelta(seconds=1))
    assert scenarios.again(booking).cancellation_requested_at == now
    assert list(queries.cancellations_to_lapse(now=lapse_at)) == [booking]
    for _ in range(2):
        cancellation.lapse_cancellation(booking.pk, now=lapse_at)
    assert scenarios.again(booking).cancellation_requested_at is None
    assert scenarios.notices_about(booking).count(Notice.CANCELLATION_LAPSED) == 1


def test_proving_twice_cancels_once_and_reports_the_same(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = ask(booking, now)
    first, second = (cancellation.confirm_cancellation(token, now=now) for _ in range(2))
    assert first.state == second.state == State.CANCELLED
    assert scenarios.notices_about(booking).count(Notice.BOOKING_CANCELLED) == 1
    assert cancellation.cancelled_by(token, now=now + 10 * DAY).state == State.CANCELLED


def test_the_report_says_when_nothing_is_cancelled_yet(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = ask(booking, now)
    assert code_of(lambda: cancellation.cancelled_by(token, now=now)) is Code.NOT_CANCELLED_YET
    by_staff(booking, now)
    assert code_of(lambda: cancellation.cancelled_by(token, now=now)) is Code.STATE_REFUSES
    assert code_of(lambda: cancellation.confirm_cancellation(token, now=now)) is Code.STATE_REFUSES


@pytest.mark.parametrize("token", ["", "x", "\ud800"])
def test_unknown_tokens_and_tokens_of_another_purpose_cancel_nothing(token: str, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    assert code_of(lambda: cancellation.confirm_cancellation(token, now=now)) is Code.LINK_UNKNOWN
    reading = scenarios.token_of(booking, Notice.BOOKING_RECEIVED)
    assert code_of(lambda: cancellation.confirm_cancellation(reading, now=now)) is Code.LINK_UNKNOWN
    cancelling = ask(booking, now)
    assert code_of(lambda: visitor.verify_email(cancelling, now=now)) is Code.LINK_UNKNOWN


def test_the_link_in_the_confirmation_cancels_late_without_refund_until_the_start(now: datetime, monkeypatch) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    start = far(now)
    booking = scenarios.confirmed(now=now, at=start)
    token = scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.CANCEL_LATE)
    assert code_of(lambda: cancellation.confirm_cancellation(token, now=start)) is Code.LINK_EXPIRED
    cancelled = cancellation.confirm_cancellation(token, now=start - timedelta(seconds=1))
    assert cancelled.reason == Reason.CANCELLED_LATE
    assert not Refund.objects.exists()


def test_the_same_link_used_in_time_is_a_timely_cancellation(now: datetime, monkeypatch) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = scenarios.confirmed(now=now, at=far(now))
    token = scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.CANCEL_LATE)
    assert cancellation.confirm_cancellation(token, now=far(now) - DAY).reason == Reason.BY_VISITOR
    assert Refund.objects.count() == 1


def test_after_a_move_by_staff_the_visitor_may_cancel_until_the_start_with_a_full_refund(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=far(now))
    start = far(now) + timedelta(hours=3)
    reschedule(booking.pk, Move(start), actor="staff:desk", now=now)
    token = ask(booking, start - timedelta(minutes=1))
    cancelled = cancellation.confirm_cancellation(token, now=start - timedelta(seconds=1))
    assert cancelled.reason == Reason.BY_VISITOR
    assert Refund.objects.get().amount_paise == 150_000


@pytest.mark.parametrize("late", [timedelta(seconds=-1), timedelta(0), timedelta(minutes=9)])
@pytest.mark.parametrize("how", ["paid meanwhile", "moved meanwhile"])
def test_a_link_that_was_asked_for_in_time_cancels_nothing_once_the_session_has_begun(
    how: str, late: timedelta, now: datetime
) -> None:
    start = now + timedelta(minutes=50)
    booking, payment = scenarios.paying(now=now, at=start if how == "paid meanwhile" else far(now))
    token = ask(booking, now)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    if how == "moved meanwhile":
        reschedule(booking.pk, Move(start), actor="staff:desk", now=now)
    prove = lambda: cancellation.confirm_cancellation(token, now=start + late)  # noqa: E731
    if late < timedelta(0):
        assert prove().state == State.CANCELLED
        return
    assert code_of(prove) is Code.LINK_EXPIRED
    assert code_of(lambda: cancellation.cancelled_by(token, now=start + late)) is Code.LINK_EXPIRED
    assert scenarios.again(booking).state == State.CONFIRMED


def test_a_booking_gets_three_cancellation_links_an_hour_and_the_rest_leaves_nothing(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    for _ in range(5):
        cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    sent = Message.objects.filter(kind=Notice.CANCELLATION_REQUESTED)
    assert [sent.filter(state=s).count() for s in (MessageState.WAITING, MessageState.SUPPRESSED)] == [3, 0]
    assert Link.objects.filter(purpose=Purpose.CANCEL).count() == 3


def test_using_one_link_ends_its_siblings(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    first, second = ask(booking, now), ask(booking, now + timedelta(minutes=1))
    cancellation.confirm_cancellation(second, now=now + timedelta(minutes=2))
    assert code_of(lambda: cancellation.cancelled_by(first, now=now + timedelta(minutes=2))) is Code.STATE_REFUSES


def test_an_unproved_or_unknown_booking_cannot_be_asked_to_cancel(now: datetime) -> None:
    draft = scenarios.submitted(now=now)
    for acknowledgement_id in (draft.acknowledgement_id, "MS-000000"):
        ask_for = lambda a=acknowledgement_id: cancellation.request_cancellation(a, now=now)  # noqa: E731
        assert code_of(ask_for) is Code.BOOKING_UNKNOWN


def test_staff_see_that_the_visitor_asked_and_approving_needs_a_second_look(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    ask(booking, now)
    assert Notice.STAFF_CANCELLATION_REQUESTED in scenarios.notices_about(booking)
    approval = staff.Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now))
    approve = lambda a: staff.approve(booking.pk, a, actor="staff:desk", now=now)  # noqa: E731
    assert code_of(lambda: approve(approval)) is Code.CANCELLATION_PENDING
    knowing = staff.Approval(approval.psychologist_id, approval.slot_start, despite_cancellation_request=True)
    assert approve(knowing).state == State.APPROVED


@pytest.mark.parametrize("name", [*MAKERS, "confirmed"])
def test_staff_cancel_any_active_booking_at_any_time_with_a_full_refund(name: str, now: datetime) -> None:
    booking = {**MAKERS, "confirmed": scenarios.confirmed}[name](now=now)
    cancelled = by_staff(booking, now)
    assert (cancelled.state, cancelled.reason, cancelled.note_to_visitor) == (
        State.CANCELLED,
        Reason.BY_STAFF,
        "We are ill.",
    )
    assert sum(Refund.objects.values_list("amount_paise", flat=True)) == (150_000 if name == "confirmed" else 0)


def test_keeping_the_money_needs_a_reason(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    assert code_of(lambda: by_staff(booking, now, RefundChoice.NONE, " ")) is Code.REFUND_REASON_REQUIRED
    by_staff(booking, now, RefundChoice.NONE, "no show agreed")
    assert not Refund.objects.exists()


def test_a_closed_booking_cannot_be_cancelled_again(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    by_staff(booking, now)
    assert code_of(lambda: by_staff(booking, now)) is Code.STATE_REFUSES
    ask_again = lambda: cancellation.request_cancellation(booking.acknowledgement_id, now=now)  # noqa: E731
    assert code_of(ask_again) is Code.STATE_REFUSES


def test_refunds_are_never_above_what_was_captured(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refunds.grant_refund(booking.pk, 100_000, actor="staff:desk", now=now)
    assert queries.payment_status_value(scenarios.again(booking)) == "refund_under_way"
    grant = lambda amount: refunds.grant_refund(booking.pk, amount, actor="staff:desk", now=now)  # noqa: E731
    assert code_of(lambda: grant(50_001)) is Code.REFUND_EXCEEDS_CAPTURE
    assert code_of(lambda: grant(0)) is Code.REFUND_EXCEEDS_CAPTURE
    assert code_of(lambda: grant(-5)) is Code.REFUND_EXCEEDS_CAPTURE
    assert grant(None).amount_paise == 50_000
    assert code_of(lambda: grant(None)) is Code.REFUND_EXCEEDS_CAPTURE


def test_cancelling_gives_back_only_what_is_left(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refunds.grant_refund(booking.pk, 100_000, actor="staff:desk", now=now)
    by_staff(booking, now)
    assert sorted(Refund.objects.values_list("amount_paise", flat=True)) == [50_000, 100_000]


# -- a visitor who rings -----------------------------------------------------------------------------------------------


def rings(booking: Booking, now: datetime, refund: RefundChoice = RefundChoice.RULES, reason: str = "") -> Booking:
    return cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=refund, refund_reason=reason, actor="staff:desk", now=now,
        called_off_by=CalledOffBy.VISITOR,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "before_start", "reason", "back"),
    [
        ("full", 24, Reason.BY_VISITOR, 150_000),
        ("full", 23, Reason.CANCELLED_LATE, 0),
        ("none", 48, Reason.BY_VISITOR, 0),
        ("none", 23, Reason.CANCELLED_LATE, 0),
    ],
)
def test_who_rings_is_treated_as_by_their_own_link(
    setting: str, before_start: int, reason: Reason, back: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", setting)
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=3))
    cancelled = rings(booking, now + timedelta(days=3) - timedelta(hours=before_start))
    assert (cancelled.reason, payment_status.left_paise(cancelled)) == (reason, 150_000 - back)
    message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_CANCELLED)
    mail = delivery.prepare(message, now=now)
    assert mail is not None
    assert mail["is_by_staff"] is False


def test_who_asked_on_the_site_in_time_and_then_rings_is_in_time(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = scenarios.confirmed(now=now, at=now + timedelta(hours=24, minutes=5))
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    assert rings(booking, now + timedelta(minutes=20)).reason == Reason.BY_VISITOR
    assert Refund.objects.get().amount_paise == 150_000


def test_less_than_the_visitors_terms_give_needs_a_reason_and_more_needs_none(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=3))
    assert rings(booking, now, RefundChoice.NONE).reason == Reason.BY_VISITOR
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    other = scenarios.confirmed(RAVI, now=now, at=now + timedelta(days=4))
    assert code_of(lambda: rings(other, now, RefundChoice.NONE)) is Code.REFUND_REASON_REQUIRED
    rings(other, now, RefundChoice.NONE, reason="Agreed.")
    message = Message.objects.get(booking_id=other.pk, kind=Notice.BOOKING_CANCELLED)
    facts = delivery.prepare(message, now=now)
    assert facts is not None
    assert (facts["is_decided"], facts["stays"]) == (True, "1,500.00")
