"""What may be told to whom, and which mailed links each notice carries; `backend.notifications` knows how they read."""

from __future__ import annotations

from django.db import models

from backend.bookings.link_models import Purpose
from backend.bookings.machine import AWAITS_PAYMENT, HOLDS_SLOT, State
from backend.payments import adapters
from backend.rooms import adapters as rooms


class Notice(models.TextChoices):
    """What may be told to whom, as past events; also the names of the mail templates. Then what staff read."""

    DRAFT_SUBMITTED = "draft_submitted", "link to prove the address"
    DRAFT_STILL_UNVERIFIED = "draft_still_unverified", "reminder to prove the address"
    DRAFT_LAPSED = "draft_lapsed", "address not proved, request lapsed"
    ALREADY_BOOKED = "already_booked", "there is a booking already"
    LINK_REQUESTED = "link_requested", "link to the booking"
    NOTHING_OPEN = "nothing_open", "there is no open booking"
    BOOKING_RECEIVED = "booking_received", "request received"
    ANSWER_LATE = "answer_late", "our answer is late"
    BOOKING_UNANSWERED = "booking_unanswered", "apology for no answer"
    BOOKING_REJECTED = "booking_rejected", "request declined"
    BOOKING_APPROVED = "booking_approved", "request approved"
    PAYMENT_STILL_DUE = "payment_still_due", "reminder to pay"
    PAYMENT_ATTEMPT_FAILED = "payment_attempt_failed", "payment did not succeed"
    PAYMENT_TIMED_OUT = "payment_timed_out", "not paid in time"
    LATE_PAYMENT_BOOKED = "late_payment_booked", "late payment, session confirmed"
    PAYMENT_RECEIVED = "payment_received", "payment received at the practice"
    PAYMENT_VOIDED = "payment_voided", "payment noted by mistake"
    PAYMENT_RETURNED = "payment_returned", "payment goes back"
    BOOKING_CONFIRMED = "booking_confirmed", "session confirmed"
    BOOKING_MOVED = "booking_moved", "session moved"
    CHOICE_OFFERED = "choice_offered", "asked to choose another time"
    CHOICE_STILL_OPEN = "choice_still_open", "reminder to choose another time"
    SESSION_APPROACHING = "session_approaching", "reminder of the session"
    SESSION_IMMINENT = "session_imminent", "last reminder of the session"
    CANCELLATION_REQUESTED = "cancellation_requested", "link to prove the cancellation"
    CANCELLATION_LAPSED = "cancellation_lapsed", "not cancelled, the booking stands"
    BOOKING_CANCELLED = "booking_cancelled", "booking cancelled"
    SERIES_BOOKED = "series_booked", "next sessions booked"
    SERIES_MOVED = "series_moved", "sessions moved"
    SERIES_CANCELLED = "series_cancelled", "bookings cancelled"
    REFUND_QUEUED = "refund_queued", "refund under way"
    REFUND_MADE = "refund_made", "refund made"
    DATA_CORRECTED = "data_corrected", "data corrected"
    CONSENT_WITHDRAWN = "consent_withdrawn", "consent withdrawn"
    ERASURE_REQUESTED = "erasure_requested", "link to prove the wish to be erased"
    ERASURE_PLANNED = "erasure_planned", "data will be erased"
    ERASURE_STOPPED = "erasure_stopped", "data is kept"
    ERASURE_DONE = "erasure_done", "data is erased"
    STAFF_BOOKING_RECEIVED = "staff_booking_received", "new request"
    STAFF_BOOKING_WAITING = "staff_booking_waiting", "request still waits"
    MANAGER_BOOKING_OVERDUE = "manager_booking_overdue", "request overdue"
    STAFF_CANCELLATION_REQUESTED = "staff_cancellation_requested", "visitor asked to cancel"
    STAFF_REFUND_DUE = "staff_refund_due", "refund to hand out"
    STAFF_UNEXPECTED_MONEY = "staff_unexpected_money", "unexpected money"
    STAFF_ENQUIRY_RECEIVED = "staff_enquiry_received", "new enquiry"
    STAFF_INVITED = "staff_invited", "invitation of a colleague"
    PSYCHOLOGIST_SESSION_CONFIRMED = "psychologist_session_confirmed", "session confirmed"
    PSYCHOLOGIST_SESSION_UNCONFIRMED = "psychologist_session_unconfirmed", "session not confirmed any more"
    PSYCHOLOGIST_SESSION_MOVED = "psychologist_session_moved", "session moved"
    PSYCHOLOGIST_CHOICE_OFFERED = "psychologist_choice_offered", "visitor is to choose another time"
    PSYCHOLOGIST_SESSION_CANCELLED = "psychologist_session_cancelled", "session cancelled"
    PSYCHOLOGIST_SERIES_CONFIRMED = "psychologist_series_confirmed", "sessions confirmed"
    PSYCHOLOGIST_SERIES_MOVED = "psychologist_series_moved", "sessions moved"
    PSYCHOLOGIST_SERIES_CANCELLED = "psychologist_series_cancelled", "sessions cancelled"


# what one act owes of several bookings to one reader is told in one mail
TOGETHER = {
    Notice.BOOKING_APPROVED: Notice.SERIES_BOOKED,
    Notice.BOOKING_CONFIRMED: Notice.SERIES_BOOKED,
    Notice.BOOKING_MOVED: Notice.SERIES_MOVED,
    Notice.BOOKING_CANCELLED: Notice.SERIES_CANCELLED,
    Notice.PSYCHOLOGIST_SESSION_CONFIRMED: Notice.PSYCHOLOGIST_SERIES_CONFIRMED,
    Notice.PSYCHOLOGIST_SESSION_MOVED: Notice.PSYCHOLOGIST_SERIES_MOVED,
    Notice.PSYCHOLOGIST_SESSION_CANCELLED: Notice.PSYCHOLOGIST_SERIES_CANCELLED,
}


# speak of what a person asked about their data
OF_A_PERSON = (
    Notice.DATA_CORRECTED,
    Notice.CONSENT_WITHDRAWN,
    Notice.ERASURE_REQUESTED,
    Notice.ERASURE_PLANNED,
    Notice.ERASURE_STOPPED,
    Notice.ERASURE_DONE,
)
# somebody asks for a link to this address, which proves it: such a mail always leaves, and no telephone tells it
PROVES_THE_ADDRESS = (
    Notice.DRAFT_SUBMITTED,
    Notice.DRAFT_STILL_UNVERIFIED,
    Notice.DRAFT_LAPSED,
    Notice.ALREADY_BOOKED,
    Notice.LINK_REQUESTED,
    Notice.NOTHING_OPEN,
    Notice.CANCELLATION_REQUESTED,
)
BOOKING_LINK = (Purpose.BOOKING,)
SESSION_LINKS = (Purpose.BOOKING, Purpose.CANCEL_LATE, Purpose.RESCHEDULE)
# without these a mail is not sent
LINKS_CARRIED: dict[Notice, tuple[Purpose, ...]] = {
    Notice.DRAFT_SUBMITTED: BOOKING_LINK,
    Notice.DRAFT_STILL_UNVERIFIED: BOOKING_LINK,
    Notice.ALREADY_BOOKED: BOOKING_LINK,
    Notice.LINK_REQUESTED: (Purpose.BOOKING, Purpose.DATA),
    Notice.BOOKING_RECEIVED: BOOKING_LINK,
    Notice.BOOKING_UNANSWERED: (Purpose.AGAIN,),
    Notice.BOOKING_REJECTED: (Purpose.ALTERNATIVE,),
    Notice.BOOKING_APPROVED: (Purpose.BOOKING, Purpose.RESCHEDULE),
    Notice.PAYMENT_STILL_DUE: BOOKING_LINK,
    Notice.PAYMENT_ATTEMPT_FAILED: BOOKING_LINK,
    Notice.PAYMENT_RECEIVED: BOOKING_LINK,
    Notice.PAYMENT_VOIDED: BOOKING_LINK,
    Notice.BOOKING_CONFIRMED: SESSION_LINKS,
    Notice.LATE_PAYMENT_BOOKED: SESSION_LINKS,
    Notice.BOOKING_MOVED: SESSION_LINKS,
    Notice.SERIES_BOOKED: BOOKING_LINK,  # of each session, whose own notice may bring it more
    Notice.SERIES_MOVED: BOOKING_LINK,
    Notice.CHOICE_OFFERED: SESSION_LINKS,
    Notice.CHOICE_STILL_OPEN: SESSION_LINKS,
    Notice.SESSION_APPROACHING: (Purpose.BOOKING, Purpose.CANCEL_LATE),
    Notice.SESSION_IMMINENT: BOOKING_LINK,
    Notice.CANCELLATION_REQUESTED: (Purpose.CANCEL,),
    Notice.CANCELLATION_LAPSED: BOOKING_LINK,
    Notice.ERASURE_REQUESTED: (Purpose.ERASURE,),
    Notice.ERASURE_PLANNED: (Purpose.ERASURE,),
}
# say how to pay, while that is to be done
ASKS_TO_PAY = (
    Notice.LINK_REQUESTED,
    Notice.BOOKING_APPROVED,
    Notice.PAYMENT_STILL_DUE,
    Notice.PAYMENT_ATTEMPT_FAILED,
    Notice.PAYMENT_RECEIVED,
    Notice.PAYMENT_VOIDED,
    Notice.PAYMENT_RETURNED,
    Notice.BOOKING_MOVED,
)


BRINGS_INTO_THE_ROOM = (
    Notice.PSYCHOLOGIST_SESSION_CONFIRMED,
    Notice.PSYCHOLOGIST_SESSION_MOVED,
    Notice.PSYCHOLOGIST_SERIES_CONFIRMED,
    Notice.PSYCHOLOGIST_SERIES_MOVED,
)


def is_to_us(notice: Notice | str) -> bool:
    """Whether staff or a psychologist reads it."""
    return notice.startswith(("staff_", "manager_", "psychologist_"))


def can_be_told(notice: Notice | str) -> bool:
    """Whether it tells a visitor of their booking, so that staff can do it by telephone."""
    return not is_to_us(notice) and notice not in (*PROVES_THE_ADDRESS, *OF_A_PERSON)


def links_carried(notice: Notice, state: State | str) -> tuple[Purpose, ...]:
    """All that a mail gets that is owed in this state. Asked for again, the booking link brings the session's too."""
    carried = LINKS_CARRIED.get(notice, ())
    if notice in BRINGS_INTO_THE_ROOM and not rooms.are_shared():
        carried = (*carried, Purpose.ROOM)
    if notice == Notice.LINK_REQUESTED and state in HOLDS_SLOT:
        carried = (*SESSION_LINKS, Purpose.DATA)
    is_paid_on_a_page = notice in ASKS_TO_PAY and state in AWAITS_PAYMENT and adapters.takes_payments_on_pages()
    return (*carried, Purpose.PAY) if is_paid_on_a_page else carried
