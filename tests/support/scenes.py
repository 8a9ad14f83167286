"""Each notice, owed by the real intents from each state in which it can be: where a mail that fails is in back-off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from backend.bookings import policy
from backend.bookings.lifecycle import (
    alternatives,
    approval,
    cancellation,
    choices,
    desk_money,
    follow_ups,
    payments,
    refunds,
    series,
    timers,
    visitor,
    void_payment,
)
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.outbox.models import Message
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Payment, Refund, VoidReason
from backend.people.models import Location
from tests.support import scenarios

STAFF, GATEWAY = "staff:desk", "gateway:sandbox"
TWO_DAYS = timedelta(days=2)
PRACTICE = {"mode": "OFFLINE", "payment_mode": "OFFLINE"}


@dataclass(frozen=True)
class Scene:
    """A booking of which `notice` is owed; it leaves at its own time."""

    notice: Notice
    make: Callable[[datetime], Booking]

    def message(self, booking: Booking) -> Message:
        return Message.objects.filter(booking_id=booking.pk, kind=self.notice).latest("pk")


def _approved(now: datetime) -> Booking:
    return scenarios.approved(now=now, at=now + TWO_DAYS)


def _paying(now: datetime) -> Booking:
    return scenarios.paying(now=now, at=now + TWO_DAYS)[0]


def _confirmed(now: datetime) -> Booking:
    return scenarios.confirmed(now=now, at=now + TWO_DAYS)


def _due_at_practice(now: datetime) -> Booking:
    booking = scenarios.pending(now=now, **PRACTICE)
    who = scenarios.psychologist(location=Location.objects.create(name="Baner", address="12 Baner Road, Pune"))
    return approval.approve(booking.pk, approval.Approval(who.pk, now + TWO_DAYS), actor=STAFF, now=now)


def _unanswered(now: datetime) -> Booking:
    booking = scenarios.pending(now=now)
    assert booking.due_at is not None
    timers.close_unanswered(booking.pk, now=booking.due_at)
    return scenarios.again(booking)


def _lapsed(now: datetime) -> Booking:
    booking = scenarios.submitted(now=now)
    assert booking.due_at is not None
    timers.lapse_draft(booking.pk, now=booking.due_at)
    return scenarios.again(booking)


def _rejected(now: datetime) -> Booking:
    booking = scenarios.pending(now=now)
    offers = [alternatives.OfferedSlot(scenarios.psychologist("Dr. Sen").pk, now + timedelta(days=5))]
    return approval.reject(booking.pk, note_to_visitor="", offers=offers, actor=STAFF, now=now)


def _declined(now: datetime) -> Booking:
    booking, payment = scenarios.paying(now=now, at=now + TWO_DAYS)
    payments.record_report(scenarios.declined(payment), actor=GATEWAY, now=now)
    return scenarios.again(booking)


def _timed_out(now: datetime) -> Booking:
    booking = _declined(now)
    assert booking.due_at is not None
    timers.time_out_approval(booking.pk, now=booking.due_at)
    return scenarios.again(booking)


def _late_money(now: datetime) -> Booking:
    booking = _timed_out(now)
    assert booking.closed_at is not None
    payments.record_report(scenarios.captured(Payment.objects.get()), actor=GATEWAY, now=booking.closed_at)
    return scenarios.again(booking)


def _wrong_money(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        booking = make(now)
        payment = Payment.objects.create(
            booking=booking, reference=f"PAY-{uuid4().hex[:8]}", gateway="sandbox", amount_paise=1, currency="INR",
            state="idle", started_at=now, closed_at=now,
        )  # fmt: skip
        payments.record_report(scenarios.captured(payment, amount_paise=2), actor=GATEWAY, now=now)
        return scenarios.again(booking)

    return made


def _moved(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        move = Move(now + timedelta(days=3))
        return reschedule(make(now).pk, move, actor=STAFF, now=now)

    return made


def _to_choose(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        return choices.offer_choice(make(now).pk, actor=STAFF, now=now)

    return made


def _to_colleague(now: datetime) -> Booking:
    colleague = scenarios.psychologist("Dr. Ravi Nair", email="nair@example.org")
    move = Move(now + TWO_DAYS, psychologist_id=colleague.pk)
    return reschedule(_confirmed(now).pk, move, actor=STAFF, now=now)


def _asked(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        booking = make(now)
        asked = cancellation.request_cancellation(booking.acknowledgement_id, now=now)
        return scenarios.again(asked)

    return made


def _wish_lapsed(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        booking = _asked(make)(now - policy.CANCEL_LINK_LIFETIME)
        cancellation.lapse_cancellation(booking.pk, now=now)
        return scenarios.again(booking)

    return made


def _called_off(make: Callable[[datetime], Booking], refund: RefundChoice) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        booking = cancellation.cancel_by_staff(
            make(now).pk,
            note_to_visitor="",
            refund=refund,
            refund_reason="agreed",
            amount_paise=50_000 if refund is RefundChoice.PART else None,
            actor=STAFF,
            now=now,
        )
        return scenarios.again(booking)

    return made


def _refund(make: Callable[[datetime], Booking], *answers: RefundOrderState) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        booking = make(now)
        refund = refunds.grant_refund(booking.pk, 100_000, actor=STAFF, now=now)
        for state in answers:
            at = now if state is not RefundOrderState.PENDING else now + policy.REFUND_ASKED_FOR
            refunds.record_refund(refund.pk, RefundReport(refund.reference, "rfd", state, refund.amount_paise), now=at)
        return scenarios.again(booking)

    return made


def _paid_at_desk(now: datetime) -> Booking:
    return desk_money.record_desk_payment(_approved(now).pk, actor=STAFF, now=now)


def _part_paid(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    """A part at the desk of what is to be paid."""

    def made(now: datetime) -> Booking:
        part = desk_money.Handed(amount_paise=50_000)
        return desk_money.record_desk_payment(make(now).pk, part, actor=STAFF, now=now)

    return made


def _voided(now: datetime) -> Booking:
    return void_payment.void_desk_payment(_paid_at_desk(now).pk, VoidReason.NOT_RECEIVED, actor=STAFF, now=now)


def _voided_too_late(now: datetime) -> Booking:
    """Its time to pay is over: it stays confirmed, and is to be paid at the practice."""
    booking = _paid_at_desk(now)
    assert booking.pay_by is not None
    return void_payment.void_desk_payment(booking.pk, VoidReason.NOT_RECEIVED, actor=STAFF, now=booking.pay_by)


def _refund_made(now: datetime) -> Booking:
    booking = _refund(_paid_at_desk)(now)
    refunds.record_refund_made(Refund.objects.get().pk, actor=STAFF, now=now)
    return scenarios.again(booking)


def _link_asked(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        booking = make(now)
        visitor.request_link(booking.email, now=now)
        return scenarios.again(booking)

    return made


def _asked_twice(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        booking = make(now)
        visitor.submit_draft(scenarios.draft_of(now=now, user_message="And again."), now=now)
        return scenarios.again(booking)

    return made


def _pending(now: datetime) -> Booking:
    return scenarios.pending(now=now)


def _draft(now: datetime) -> Booking:
    return scenarios.submitted(now=now)


def _series(amount_paise: int | None) -> Callable[[datetime], Booking]:
    """The first of two sessions booked at once, and so the one on which the mail about them hangs."""

    def made(now: datetime) -> Booking:
        last = _confirmed(now)
        starts = now + 2 * TWO_DAYS, now + 3 * TWO_DAYS
        wanted = follow_ups.Series(starts, amount_paise=amount_paise)
        (first, _) = follow_ups.book_series(last.pk, wanted, actor=STAFF, now=now)
        assert first.booking is not None
        return scenarios.again(first.booking)

    return made


def _series_moved(make: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    def made(now: datetime) -> Booking:
        booking = make(now)
        series.move_series(booking.pk, series.SeriesMove(now + 3 * TWO_DAYS), actor=STAFF, now=now)
        return scenarios.again(booking)

    return made


def _series_cancelled(now: datetime) -> Booking:
    booking = _series(0)(now)
    series.cancel_series(booking.pk, series.SeriesCancellation(), actor=STAFF, now=now)
    return scenarios.again(booking)


def _colleague_cancelled(now: datetime) -> Booking:
    return _called_off(_confirmed, RefundChoice.FULL)(now)


N = Notice
ACTIVES = {"PENDING": _pending, "APPROVED": _approved, "PAYMENT_PENDING": _paying, "CONFIRMED": _confirmed}
SOME = {"APPROVED": _approved, "CONFIRMED": _confirmed}
SCENES: dict[str, Scene] = {
    **{notice: Scene(notice, _draft) for notice in (N.DRAFT_SUBMITTED, N.DRAFT_STILL_UNVERIFIED)},
    N.DRAFT_LAPSED: Scene(N.DRAFT_LAPSED, _lapsed),
    **{f"{N.ALREADY_BOOKED} {s}": Scene(N.ALREADY_BOOKED, _asked_twice(make)) for s, make in SOME.items()},
    **{f"{N.LINK_REQUESTED} {s}": Scene(N.LINK_REQUESTED, _link_asked(make)) for s, make in SOME.items()},
    f"{N.LINK_REQUESTED} timed out": Scene(N.LINK_REQUESTED, _link_asked(_timed_out)),
    **{
        notice: Scene(notice, _pending)
        for notice in (
            N.BOOKING_RECEIVED,
            N.ANSWER_LATE,
            N.STAFF_BOOKING_RECEIVED,
            N.STAFF_BOOKING_WAITING,
            N.MANAGER_BOOKING_OVERDUE,
        )
    },
    N.BOOKING_UNANSWERED: Scene(N.BOOKING_UNANSWERED, _unanswered),
    N.BOOKING_REJECTED: Scene(N.BOOKING_REJECTED, _rejected),
    f"{N.BOOKING_APPROVED} APPROVED": Scene(N.BOOKING_APPROVED, _approved),
    f"{N.BOOKING_APPROVED} PAYMENT_PENDING": Scene(N.BOOKING_APPROVED, _paying),
    N.PAYMENT_STILL_DUE: Scene(N.PAYMENT_STILL_DUE, _approved),
    N.PAYMENT_ATTEMPT_FAILED: Scene(N.PAYMENT_ATTEMPT_FAILED, _declined),
    N.PAYMENT_TIMED_OUT: Scene(N.PAYMENT_TIMED_OUT, _timed_out),
    N.LATE_PAYMENT_BOOKED: Scene(N.LATE_PAYMENT_BOOKED, _late_money),
    **{f"{N.PAYMENT_RETURNED} {s}": Scene(N.PAYMENT_RETURNED, _wrong_money(make)) for s, make in SOME.items()},
    f"{N.PAYMENT_RECEIVED} APPROVED": Scene(N.PAYMENT_RECEIVED, _part_paid(_approved)),
    f"{N.PAYMENT_RECEIVED} due": Scene(N.PAYMENT_RECEIVED, _part_paid(_due_at_practice)),
    f"{N.PAYMENT_VOIDED} APPROVED": Scene(N.PAYMENT_VOIDED, _voided),
    f"{N.PAYMENT_VOIDED} due": Scene(N.PAYMENT_VOIDED, _voided_too_late),
    f"{N.BOOKING_CONFIRMED} at the desk": Scene(N.BOOKING_CONFIRMED, _paid_at_desk),
    N.PSYCHOLOGIST_SESSION_UNCONFIRMED: Scene(N.PSYCHOLOGIST_SESSION_UNCONFIRMED, _voided),
    N.STAFF_UNEXPECTED_MONEY: Scene(N.STAFF_UNEXPECTED_MONEY, _wrong_money(_confirmed)),
    f"{N.BOOKING_CONFIRMED} paid": Scene(N.BOOKING_CONFIRMED, _confirmed),
    f"{N.BOOKING_CONFIRMED} due": Scene(N.BOOKING_CONFIRMED, _due_at_practice),
    f"{N.BOOKING_MOVED} APPROVED": Scene(N.BOOKING_MOVED, _moved(_approved)),
    f"{N.BOOKING_MOVED} PAYMENT_PENDING": Scene(N.BOOKING_MOVED, _moved(_paying)),
    f"{N.BOOKING_MOVED} paid": Scene(N.BOOKING_MOVED, _moved(_confirmed)),
    f"{N.BOOKING_MOVED} due": Scene(N.BOOKING_MOVED, _moved(_due_at_practice)),
    **{
        f"{notice} {state}": Scene(notice, _to_choose(make))
        for notice in (N.CHOICE_OFFERED, N.CHOICE_STILL_OPEN)
        for state, make in SOME.items()
    },
    **{
        f"{notice} {how}": Scene(notice, make)
        for notice in (N.SESSION_APPROACHING, N.SESSION_IMMINENT)
        for how, make in (("paid", _confirmed), ("due", _due_at_practice))
    },
    **{
        f"{N.CANCELLATION_REQUESTED} {s}": Scene(N.CANCELLATION_REQUESTED, _asked(make))
        for s, make in (ACTIVES | {"moved": _moved(_confirmed), "due": _due_at_practice}).items()
    },
    **{
        f"{N.STAFF_CANCELLATION_REQUESTED} {s}": Scene(N.STAFF_CANCELLATION_REQUESTED, _asked(make))
        for s, make in {"PENDING": _pending, **SOME}.items()
    },
    **{f"{N.CANCELLATION_LAPSED} {s}": Scene(N.CANCELLATION_LAPSED, _wish_lapsed(make)) for s, make in ACTIVES.items()},
    **{
        f"{N.BOOKING_CANCELLED} {choice}": Scene(N.BOOKING_CANCELLED, _called_off(_confirmed, choice))
        for choice in RefundChoice
    },
    f"{N.REFUND_QUEUED} online": Scene(N.REFUND_QUEUED, _refund(_confirmed)),
    f"{N.REFUND_QUEUED} refused": Scene(N.REFUND_QUEUED, _refund(_confirmed, RefundOrderState.REFUSED)),
    f"{N.REFUND_QUEUED} desk": Scene(N.REFUND_QUEUED, _refund(_paid_at_desk)),
    f"{N.REFUND_MADE} online": Scene(N.REFUND_MADE, _refund(_confirmed, RefundOrderState.DONE)),
    f"{N.REFUND_MADE} desk": Scene(N.REFUND_MADE, _refund_made),
    f"{N.STAFF_REFUND_DUE} desk": Scene(N.STAFF_REFUND_DUE, _refund(_paid_at_desk)),
    f"{N.STAFF_REFUND_DUE} refused": Scene(N.STAFF_REFUND_DUE, _refund(_confirmed, RefundOrderState.REFUSED)),
    f"{N.STAFF_REFUND_DUE} unfinished": Scene(N.STAFF_REFUND_DUE, _refund(_confirmed, RefundOrderState.PENDING)),
    N.PSYCHOLOGIST_SESSION_CONFIRMED: Scene(N.PSYCHOLOGIST_SESSION_CONFIRMED, _confirmed),
    N.PSYCHOLOGIST_SESSION_MOVED: Scene(N.PSYCHOLOGIST_SESSION_MOVED, _moved(_confirmed)),
    N.PSYCHOLOGIST_CHOICE_OFFERED: Scene(N.PSYCHOLOGIST_CHOICE_OFFERED, _to_choose(_confirmed)),
    f"{N.PSYCHOLOGIST_SESSION_CANCELLED} called off": Scene(N.PSYCHOLOGIST_SESSION_CANCELLED, _colleague_cancelled),
    f"{N.PSYCHOLOGIST_SESSION_CANCELLED} to colleague": Scene(N.PSYCHOLOGIST_SESSION_CANCELLED, _to_colleague),
    f"{N.SERIES_BOOKED} APPROVED": Scene(N.SERIES_BOOKED, _series(None)),
    f"{N.SERIES_BOOKED} CONFIRMED": Scene(N.SERIES_BOOKED, _series(0)),
    f"{N.SERIES_MOVED} APPROVED": Scene(N.SERIES_MOVED, _series_moved(_series(None))),
    N.SERIES_CANCELLED: Scene(N.SERIES_CANCELLED, _series_cancelled),
    N.PSYCHOLOGIST_SERIES_CONFIRMED: Scene(N.PSYCHOLOGIST_SERIES_CONFIRMED, _series(0)),
    N.PSYCHOLOGIST_SERIES_MOVED: Scene(N.PSYCHOLOGIST_SERIES_MOVED, _series_moved(_series(0))),
    N.PSYCHOLOGIST_SERIES_CANCELLED: Scene(N.PSYCHOLOGIST_SERIES_CANCELLED, _series_cancelled),
}
