"""What may happen to a booking between the moment a mail is owed and the one in which it leaves."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.bookings.lifecycle import attempts, cancellation, timers
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.payments.models import Payment
from tests.support import scenarios

STAFF, GATEWAY = "staff:desk", "gateway:sandbox"


def mail(booking: Booking, notice: Notice) -> Message:
    """The newest notice of this kind that the lifecycle owes."""
    return Message.objects.filter(booking_id=booking.pk, kind=notice).latest("pk")


def is_true(message: Message, now: datetime) -> bool:
    return delivery.prepare(Message.objects.get(pk=message.pk), now=now) is not None


def moved(booking: Booking, *, now: datetime, hours: int = 2, to: int | None = None) -> Booking:
    """Moved by staff to later, and to another psychologist if asked."""
    assert booking.slot_start is not None
    move = Move(booking.slot_start + timedelta(hours=hours), psychologist_id=to)
    return reschedule(booking.pk, move, actor=STAFF, now=now)


def cancelled(booking: Booking, *, now: datetime, refund: RefundChoice = RefundChoice.FULL) -> Booking:
    return cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=refund, refund_reason="agreed", actor=STAFF, now=now
    )


def timed_out(*, now: datetime) -> tuple[Booking, Payment, datetime]:
    booking, payment = scenarios.paying(now=now)
    assert booking.due_at is not None
    attempts.end_idle_attempt(payment.pk, now=booking.due_at)
    booking = scenarios.again(booking)
    assert booking.due_at is not None
    timers.time_out_approval(booking.pk, now=booking.due_at)
    return scenarios.again(booking), payment, booking.due_at
