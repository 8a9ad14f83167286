"""What may be told to whom, and which mailed links each notice carries; `backend.notifications` knows how they read."""

from __future__ import annotations

from django.db import models

from backend.bookings.link_models import Purpose


class Notice(models.TextChoices):
    """What may be told to whom, as past events; also the names of the mail templates."""

    DRAFT_SUBMITTED = "draft_submitted"
    DRAFT_STILL_UNVERIFIED = "draft_still_unverified"
    DRAFT_LAPSED = "draft_lapsed"
    ALREADY_BOOKED = "already_booked"
    LINK_REQUESTED = "link_requested"
    NOTHING_OPEN = "nothing_open"
    BOOKING_RECEIVED = "booking_received"
    ANSWER_LATE = "answer_late"
    BOOKING_UNANSWERED = "booking_unanswered"
    BOOKING_REJECTED = "booking_rejected"
    BOOKING_APPROVED = "booking_approved"
    PAYMENT_STILL_DUE = "payment_still_due"
    PAYMENT_ATTEMPT_FAILED = "payment_attempt_failed"
    PAYMENT_TIMED_OUT = "payment_timed_out"
    LATE_PAYMENT_BOOKED = "late_payment_booked"
    PAYMENT_RETURNED = "payment_returned"
    BOOKING_CONFIRMED = "booking_confirmed"
    BOOKING_MOVED = "booking_moved"
    SESSION_APPROACHING = "session_approaching"
    SESSION_IMMINENT = "session_imminent"
    CANCELLATION_REQUESTED = "cancellation_requested"
    CANCELLATION_LAPSED = "cancellation_lapsed"
    BOOKING_CANCELLED = "booking_cancelled"
    REFUND_QUEUED = "refund_queued"
    REFUND_MADE = "refund_made"
    STAFF_BOOKING_RECEIVED = "staff_booking_received"
    STAFF_BOOKING_WAITING = "staff_booking_waiting"
    MANAGER_BOOKING_OVERDUE = "manager_booking_overdue"
    STAFF_CANCELLATION_REQUESTED = "staff_cancellation_requested"
    STAFF_REFUND_DUE = "staff_refund_due"
    STAFF_UNEXPECTED_MONEY = "staff_unexpected_money"
    STAFF_ENQUIRY_RECEIVED = "staff_enquiry_received"
    PSYCHOLOGIST_SESSION_CONFIRMED = "psychologist_session_confirmed"
    PSYCHOLOGIST_SESSION_MOVED = "psychologist_session_moved"
    PSYCHOLOGIST_SESSION_CANCELLED = "psychologist_session_cancelled"


BOOKING_LINK = (Purpose.BOOKING,)
SESSION_LINKS = (Purpose.BOOKING, Purpose.CANCEL_LATE, Purpose.RESCHEDULE)
LINKS_CARRIED: dict[Notice, tuple[Purpose, ...]] = {
    Notice.DRAFT_SUBMITTED: BOOKING_LINK,
    Notice.DRAFT_STILL_UNVERIFIED: BOOKING_LINK,
    Notice.ALREADY_BOOKED: BOOKING_LINK,
    Notice.LINK_REQUESTED: BOOKING_LINK,
    Notice.BOOKING_RECEIVED: BOOKING_LINK,
    Notice.BOOKING_UNANSWERED: (Purpose.AGAIN,),
    Notice.BOOKING_REJECTED: (Purpose.ALTERNATIVE,),
    Notice.BOOKING_APPROVED: (Purpose.BOOKING, Purpose.RESCHEDULE),
    Notice.PAYMENT_STILL_DUE: BOOKING_LINK,
    Notice.PAYMENT_ATTEMPT_FAILED: BOOKING_LINK,
    Notice.BOOKING_CONFIRMED: SESSION_LINKS,
    Notice.LATE_PAYMENT_BOOKED: SESSION_LINKS,
    Notice.BOOKING_MOVED: SESSION_LINKS,
    Notice.SESSION_APPROACHING: (Purpose.BOOKING, Purpose.CANCEL_LATE),
    Notice.SESSION_IMMINENT: BOOKING_LINK,
    Notice.CANCELLATION_REQUESTED: (Purpose.CANCEL,),
    Notice.CANCELLATION_LAPSED: BOOKING_LINK,
}
