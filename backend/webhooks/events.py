"""What a subscription may ask to be told. The words are public and stay."""

from __future__ import annotations

from django.db import models


class EventType(models.TextChoices):
    """The `type` of an event, and what has happened then."""

    REQUESTED = "booking.requested", "a request is proved, or staff recorded one"
    APPROVED = "booking.approved", "psychologist and time are set; it waits for payment"
    REJECTED = "booking.rejected", "the practice declined the request"
    CONFIRMED = "booking.confirmed", "the session will take place"
    MOVED = "booking.moved", "the session has another time or psychologist"
    CHOICE_OFFERED = "booking.choice_offered", "the visitor is asked to choose another time"
    CANCELLED = "booking.cancelled", "called off, or lapsed"
    NOT_PAID = "booking.payment_failed", "not paid in time, with a payment begun"
    COMPLETED = "booking.completed", "the session's time has passed"
    OUTCOME = "booking.outcome_recorded", "staff said what became of the session"
    PAYMENT_RECEIVED = "payment.received", "money came in"
    PAYMENT_VOIDED = "payment.voided", "a payment recorded by mistake was taken back"
    REFUND_GRANTED = "refund.granted", "money back was promised"
    REFUND_MADE = "refund.made", "the money went back"
    REFUND_REFUSED = "refund.refused", "the gateway could not send the money back"
