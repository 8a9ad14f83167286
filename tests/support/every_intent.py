"""Every intent of the lifecycle as one call; for tables of each against each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from backend.bookings import links, policy
from backend.bookings.lifecycle import (
    alternatives,
    attempts,
    cancellation,
    choices,
    desk_money,
    follow_ups,
    front_desk,
    payments,
    refunds,
    rescheduling,
    timers,
    undo,
    visitor,
    void_payment,
)
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import ACTIVE, HOLDS_SLOT, State
from backend.bookings.models import Alternative, Booking, Outcome, Purpose
from backend.bookings.notices import Notice
from backend.bookings.retention import RULES, Kind
from backend.outbox.models import Message
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Payment, PaymentMethod, PaymentState, Refund, VoidReason
from backend.people.models import Corporate
from tests.support import scenarios, working_hours
from tests.support.factories import make_booking, make_payment, make_refund


def payment_of(booking: Booking, now: datetime) -> Payment:
    """The booking's attempt; where there can be none, a row as an earlier attempt would have left."""
    found = Payment.objects.filter(booking=booking).exclude(state=PaymentState.VOIDED).first()
    return found or Payment.objects.create(
        booking=booking,
        reference=f"PAY-{booking.pk}",
        amount_paise=booking.amount_paise or 150_000,
        currency="INR",
        state="idle",
        started_at=now,
        closed_at=now,
    )


def cancelling_token(booking: Booking, now: datetime) -> str:
    """Only an active booking is mailed one."""
    uuid = uuid4()
    if booking.state in ACTIVE:
        links.issue(booking, Purpose.CANCEL, message_uuid=uuid, now=now)
    return links.token_of(uuid, Purpose.CANCEL)


def due(booking: Booking, now: datetime) -> datetime:
    return booking.due_at or now + timedelta(days=400)


def move(booking: Booking, now: datetime) -> object:
    return reschedule(booking.pk, Move(now + timedelta(days=9)), actor="staff:desk", now=now)


def approve(booking: Booking, now: datetime) -> object:
    approval = staff.Approval(scenarios.psychologist("Dr. New").pk, now + timedelta(days=9))
    return staff.approve(booking.pk, approval, actor="staff:desk", now=now)


def pay_a_part(booking: Booking, now: datetime) -> object:
    part = desk_money.Handed(amount_paise=10_000)
    return desk_money.record_desk_payment(booking.pk, part, actor="staff:desk", now=now)


def void_desk_payment(booking: Booking, now: datetime) -> object:
    """As if what pays for it had been handed over at the desk."""
    Payment.objects.counted().filter(booking=booking).update(method=PaymentMethod.DESK)
    return void_payment.void_desk_payment(booking.pk, VoidReason.NOT_RECEIVED, actor="staff:desk", now=now)


def sponsor(booking: Booking, now: datetime) -> object:
    return front_desk.sponsor(booking.pk, Corporate.objects.create(name="Acme").pk, actor="staff:desk", now=now)


def report(booking: Booking, now: datetime, make: Callable[[Payment], object]) -> object:
    return payments.record_report(make(payment_of(booking, now)), actor="gateway:sandbox", now=now)  # type: ignore[arg-type]


def book_follow_up(booking: Booking, now: datetime) -> object:
    """What it makes is another booking: the table says whether it does."""
    series = follow_ups.Series((now + timedelta(days=9),), psychologist_id=scenarios.psychologist("Dr. New").pk)
    return follow_ups.book_series(booking.pk, series, actor="staff:desk", now=now)


def reject_with_times(booking: Booking, now: datetime) -> object:
    offers = [alternatives.OfferedSlot(scenarios.psychologist("Dr. New").pk, now + timedelta(days=9))]
    return staff.reject(booking.pk, note_to_visitor="", offers=offers, actor="staff:desk", now=now)


def take_alternative(booking: Booking, now: datetime) -> object:
    """Only a rejection offers some; elsewhere there is no such link."""
    token = "none"
    if booking.state == State.REJECTED:
        who = scenarios.psychologist("Dr. New")
        start = now + timedelta(days=1)
        row = {"psychologist": who, "slot_start": start, "slot_end": start + timedelta(hours=1), "amount_paise": 1}
        Alternative.objects.create(booking=booking, number=1, **row)
        message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_REJECTED)
        links.issue(booking, Purpose.ALTERNATIVE, message_uuid=message.uuid, now=now)
        token = links.tokens_of(message.uuid)[links.alternative_token_name(1)]
    return alternatives.take_alternative(token, now=now)


def move_by_visitor(booking: Booking, now: datetime) -> object:
    """By a link as every approval mails one, also where the booking closed since."""
    who = booking.psychologist or scenarios.psychologist("Dr. New")
    working_hours.weekly(who, "10:00 18:00")
    uuid = uuid4()
    links.issue(booking, Purpose.RESCHEDULE, message_uuid=uuid, now=now)
    choice = rescheduling.SlotChoice(who.pk, now + timedelta(days=9))
    return rescheduling.reschedule_by_visitor(links.token_of(uuid, Purpose.RESCHEDULE), choice, now=now)


def verify_one_of_two(booking: Booking, now: datetime) -> object:
    """Beside another draft of the same person."""
    if booking.state == State.DRAFT:
        make_booking(State.DRAFT, now=now, client=booking.client)
    return visitor.verify_email(scenarios.token_of(booking), now=now)


def request_again(booking: Booking, now: datetime) -> object:
    """By a link as the apology mails one, which only a cancelled request gets."""
    uuid = uuid4()
    if booking.state == State.CANCELLED:
        links.issue(booking, Purpose.AGAIN, message_uuid=uuid, now=now)
    return visitor.request_again(links.token_of(uuid, Purpose.AGAIN), now=now)


def undo_cancellation(booking: Booking, now: datetime) -> object:
    """Of a decision of this moment; of any other there is nothing to undo."""
    cancellation.cancel_by_staff(
        booking.pk,
        note_to_visitor="",
        refund=RefundChoice.FULL,
        refund_reason="",
        actor="staff:desk",
        now=now,
        is_undoable=True,
    )
    return undo.undo_decision(booking.pk, actor="staff:desk", now=now)


def lapse_choice(booking: Booking, now: datetime) -> object:
    if booking.state in HOLDS_SLOT:
        Booking.objects.filter(pk=booking.pk).update(choose_by=now)
    return choices.lapse_choice(booking.pk, now=now)


def lapse_cancellation(booking: Booking, now: datetime) -> object:
    Booking.objects.filter(pk=booking.pk).update(cancellation_requested_at=now)
    return cancellation.lapse_cancellation(booking.pk, now=now + timedelta(hours=1))


def end_refund(booking: Booking, now: datetime, state: RefundOrderState) -> object:
    """Of money that came at any time and is on its way back."""
    refund = make_refund(payment_of(booking, now), now=now, amount_paise=1)
    report = RefundReport(refund.reference, "rfnd_1", state, refund.amount_paise)
    return refunds.record_refund(refund.pk, report, now=now)


def leave_unfinished(booking: Booking, now: datetime) -> object:
    """The gateway has been asked long enough, and still says that it is pending."""
    refund = make_refund(payment_of(booking, now), now=now - policy.REFUND_ASKED_FOR, amount_paise=1)
    report = RefundReport(refund.reference, "rfnd_1", RefundOrderState.PENDING, refund.amount_paise)
    return refunds.record_refund(refund.pk, report, now=now)


def hand_out_refund(booking: Booking, now: datetime) -> object:
    paid = make_payment(booking, now=now, method=PaymentMethod.DESK)
    return refunds.record_refund_made(make_refund(paid, now=now).pk, actor="staff:desk", now=now)


INTENTS: dict[str, Callable[[Booking, datetime], object]] = {
    "submit_draft": lambda b, now: visitor.submit_draft(scenarios.draft_of(now=now, city="Nashik"), now=now),
    "create_by_staff": lambda b, now: front_desk.create_by_staff(
        scenarios.draft_of(now=now), actor="staff:desk", now=now
    ),
    "verify_email": lambda b, now: visitor.verify_email(scenarios.token_of(b), now=now),
    "verify_email, of two drafts": verify_one_of_two,
    "approve": approve,
    "reject": lambda b, now: staff.reject(b.pk, note_to_visitor="", actor="staff:desk", now=now),
    "reject, with other times": reject_with_times,
    "take_alternative": take_alternative,
    "request_again": request_again,
    "start_payment": lambda b, now: attempts.start_payment(b.acknowledgement_id, now=now),
    "record_report, captured": lambda b, now: report(b, now, scenarios.captured),
    "record_report, declined": lambda b, now: report(b, now, scenarios.declined),
    "end_idle_attempt, due": lambda b, now: attempts.end_idle_attempt(payment_of(b, now).pk, now=due(b, now)),
    "record_desk_payment": lambda b, now: desk_money.record_desk_payment(b.pk, actor="staff:desk", now=now),
    "record_desk_payment, a part": pay_a_part,
    "void_desk_payment": void_desk_payment,
    "sponsor": sponsor,
    "reschedule": move,
    "reschedule_by_visitor": move_by_visitor,
    "offer_choice": lambda b, now: choices.offer_choice(b.pk, actor="staff:desk", now=now),
    "lapse_choice, due": lapse_choice,
    "book_follow_up": book_follow_up,
    "request_cancellation": lambda b, now: cancellation.request_cancellation(b.acknowledgement_id, now=now),
    "confirm_cancellation": lambda b, now: cancellation.confirm_cancellation(cancelling_token(b, now), now=now),
    "lapse_cancellation, due": lapse_cancellation,
    "cancel_by_staff": scenarios.call_off,
    "undo_decision, after cancel_by_staff": undo_cancellation,
    "grant_refund": lambda b, now: refunds.grant_refund(b.pk, None, actor="staff:desk", now=now),
    "record_refund, made": lambda b, now: end_refund(b, now, RefundOrderState.DONE),
    "record_refund, refused": lambda b, now: end_refund(b, now, RefundOrderState.REFUSED),
    "record_refund, unfinished in time": leave_unfinished,
    "record_refund_made": hand_out_refund,
    "record_outcome": lambda b, now: front_desk.record_outcome(
        b.pk, Outcome.ATTENDED, actor="staff:desk", now=b.slot_start or now
    ),
    "extend_deadline": lambda b, now: front_desk.extend_deadline(
        b.pk, State(b.state), timedelta(hours=1), actor="staff:desk", now=now
    ),
    "lapse_draft, due": lambda b, now: timers.lapse_draft(b.pk, now=due(b, now)),
    "close_unanswered, due": lambda b, now: timers.close_unanswered(b.pk, now=due(b, now)),
    "time_out_approval, due": lambda b, now: timers.time_out_approval(b.pk, now=due(b, now)),
    "complete_session, due": lambda b, now: timers.complete_session(b.pk, now=due(b, now)),
}


def _cancel_by_link(booking: Booking, now: datetime) -> object:
    """By the link that is out, whatever its mail says; else by one asked for now."""
    if booking.cancellation_requested_at is None:
        return INTENTS["confirm_cancellation"](booking, now)
    message = Message.objects.filter(booking_id=booking.pk, kind=Notice.CANCELLATION_REQUESTED).latest("pk")
    return cancellation.confirm_cancellation(links.token_of(message.uuid, Purpose.CANCEL), now=now)


def _answer(state: RefundOrderState, later: timedelta = timedelta(0)) -> Callable[[Booking, datetime], object]:
    def answered(booking: Booking, now: datetime) -> object:
        refund = Refund.objects.filter(payment__booking=booking).latest("pk")
        return refunds.record_refund(
            refund.pk, RefundReport(refund.reference, "rfd", state, refund.amount_paise), now=now + later
        )

    return answered


def _to_another(booking: Booking, now: datetime) -> object:
    who = scenarios.psychologist("Dr. Other", email="other@example.org")
    move = Move(booking.slot_start or now + timedelta(days=2), who.pk)
    return reschedule(booking.pk, move, actor="staff:desk", now=now)


def _sooner(booking: Booking, now: datetime) -> object:
    """Which leaves less time to pay."""
    return reschedule(booking.pk, Move(now + timedelta(hours=6)), actor="staff:desk", now=now)


def _capture_wrongly(booking: Booking, now: datetime) -> object:
    payment = payment_of(booking, now)
    return payments.record_report(scenarios.captured(payment, amount_paise=1), actor="gateway:sandbox", now=now)


def _take_alternative(booking: Booking, now: datetime) -> object:
    """One of those that were offered; where none were, as ever."""
    if not Alternative.objects.filter(booking=booking).exists():
        return INTENTS["take_alternative"](booking, now)
    message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_REJECTED)
    return alternatives.take_alternative(links.tokens_of(message.uuid)[links.alternative_token_name(1)], now=now)


def _request_again(booking: Booking, now: datetime) -> object:
    return visitor.request_again(scenarios.token_of(booking, Notice.BOOKING_UNANSWERED, Purpose.AGAIN), now=now)


def _by_another_draft(booking: Booking, now: datetime) -> object:
    """The same person proves another request."""
    scenarios.submitted(now=now, user_message="Another.")
    other = Booking.objects.latest("pk")
    return visitor.verify_email(scenarios.token_of(other), now=now) if other.pk != booking.pk else None


# what the table of states has no column for: parts, other ways and later answers
MORE_INTENTS: dict[str, Callable[[Booking, datetime], object]] = {
    "confirm_cancellation": _cancel_by_link,
    "take_alternative": _take_alternative,
    "grant_refund, a part": lambda b, now: refunds.grant_refund(b.pk, 10_000, actor="staff:desk", now=now),
    "record_refund, done": _answer(RefundOrderState.DONE),
    "record_refund, refused": _answer(RefundOrderState.REFUSED),
    "record_refund, pending for long": _answer(RefundOrderState.PENDING, policy.REFUND_ASKED_FOR),
    "record_refund_made": lambda b, now: refunds.record_refund_made(
        Refund.objects.filter(payment__booking=b).latest("pk").pk, actor="staff:desk", now=now
    ),
    "reschedule, to another psychologist": _to_another,
    "reschedule, sooner": _sooner,
    "record_report, captured wrongly": _capture_wrongly,
    "lapse_cancellation, due": lambda b, now: cancellation.lapse_cancellation(
        b.pk, now=(b.cancellation_requested_at or now) + policy.CANCEL_LINK_LIFETIME
    ),
    "lapse_choice, due": lambda b, now: choices.lapse_choice(b.pk, now=b.choose_by or now),
    "purge_draft, due": lambda b, now: timers.purge_draft(b.pk, now=(b.closed_at or now) + RULES[Kind.DRAFTS].kept),
    "request_link": lambda b, now: visitor.request_link(b.email, now=now),
    "request_again": _request_again,
    "verify_email, of another draft": _by_another_draft,
    "cancel_by_staff, without refund": lambda b, now: cancellation.cancel_by_staff(
        b.pk, note_to_visitor="", refund=RefundChoice.NONE, refund_reason="agreed", actor="staff:desk", now=now
    ),
    "ask_after_attempt, for too long": lambda b, now: attempts.ask_after_attempt(
        b.pk, now=(b.due_at or now) + policy.GATEWAY_ASK_FOR
    ),
}
EVERY_INTENT = INTENTS | MORE_INTENTS
