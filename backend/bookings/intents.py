"""What the ledger calls each intent: one member a kind of row, in life-cycle order.

The stored words never change: whether a mail is still true hangs on them, and rows are never rewritten.
"""

from __future__ import annotations

from django.db import models


class Intent(models.TextChoices):
    """The word in `LedgerEntry.intent`, and what such a row says."""

    # the request
    SUBMIT_DRAFT = "submit_draft", "a visitor asked; the address is not proved"
    VERIFY_EMAIL = "verify_email", "the visitor proved the address"
    SUPERSEDE = "supersede", "another draft of the same person was proved"
    LAPSE_DRAFT = "lapse_draft", "nobody proved the address in time"
    CREATE_BY_STAFF = "create_by_staff", "staff recorded a caller's request"
    REQUEST_AGAIN = "request_again", "the visitor repeated a request that we left unanswered"
    BOOK_FOLLOW_UP = "book_follow_up", "staff booked the next session after another"
    TAKE_ALTERNATIVE = "take_alternative", "the visitor took a time that a rejection offered"
    EXTEND_DEADLINE = "extend_deadline", "the booking has more time after an outage of ours"
    # the answer
    UNANSWERED = "unanswered", "nobody answered the request in time"  # a reason's word: the timer writes it for both
    APPROVE = "approve", "staff set psychologist, slot and amount"
    REJECT = "reject", "staff declined the request"
    SPONSOR = "sponsor", "staff named the corporate that pays, or none"
    # the payment
    START_PAYMENT = "start_payment", "the visitor began to pay"
    RECORD_CAPTURE = "record_capture", "the gateway has the money that was asked for"
    RECORD_DESK_PAYMENT = "record_desk_payment", "staff took the money at the practice"
    VOID_DESK_PAYMENT = "void_desk_payment", "staff took back a payment that they had recorded by mistake"
    FAIL_ATTEMPT = "fail_attempt", "an attempt was declined, or paid the wrong sum"
    END_IDLE_ATTEMPT = "end_idle_attempt", "an attempt was left unfinished"
    PAYMENT_TIMED_OUT = "payment_timed_out", "nobody began to pay in time"  # a reason's word, as `unanswered` is
    RECORD_LATE_CAPTURE = "record_late_capture", "money came late, and the slot was still free"
    RECORD_UNEXPECTED_CAPTURE = "record_unexpected_capture", "money came that nobody expected; it goes back"
    # the session
    RESCHEDULE = "reschedule", "staff or the visitor moved the session"
    OFFER_CHOICE = "offer_choice", "staff asked the visitor to choose another time, as this one cannot be held"
    LAPSE_CHOICE = "lapse_choice", "the visitor chose no other time, so the session was called off"
    COMPLETE_SESSION = "complete_session", "the session's time has passed"
    RECORD_OUTCOME = "record_outcome", "staff said what became of the session"
    # calling off, and money that goes back
    REQUEST_CANCELLATION = "request_cancellation", "the visitor asked to cancel; it is not proved"
    LAPSE_CANCELLATION = "lapse_cancellation", "the visitor did not prove the wish to cancel in time"
    CANCEL = "cancel", "the visitor or staff called the booking off"
    UNDO_DECISION = "undo_decision", "staff took their last decision back before anybody was told of it"
    GRANT_REFUND = "grant_refund", "staff promised money back"
    REFUND_MADE = "refund_made", "the money went back"
    REFUND_REFUSED = "refund_refused", "the gateway could not send the money back"
    REFUND_UNFINISHED = "refund_unfinished", "the gateway did not send the money back in time, and may still do it"
