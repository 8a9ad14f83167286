"""When is a notice true, beyond the state of its booking? Each function looks at one thing that can overtake it."""

from __future__ import annotations

from backend.bookings import policy
from backend.bookings.machine import ACTIVE, Notice, Reason, State
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices.occasion import Occasion, Truth
from backend.outbox.models import Message, MessageState
from backend.payments.models import RefundState


def because(*reasons: Reason) -> Truth:
    """The booking closed, or its attempt ended, for one of these reasons."""

    def truth(occasion: Occasion) -> bool:
        return occasion.booking.reason in reasons

    return truth


def none_since(*intents: str) -> Truth:
    """The ledger has no later row of these intents: each of them owes a notice that says more."""

    def truth(occasion: Occasion) -> bool:
        rows = LedgerEntry.objects.filter(booking=occasion.booking, intent__in=intents)
        return not rows.filter(sequence__gt=occasion.message.ledger_sequence or 0).exists()

    return truth


unmoved = none_since("reschedule")


# -- deadlines ---------------------------------------------------------------------------------------------------------


def deadline_ahead(occasion: Occasion) -> bool:
    """The state's own deadline has not passed."""
    return occasion.booking.due_at is not None and occasion.booking.due_at > occasion.now


def pay_by_ahead(occasion: Occasion) -> bool:
    """There is time to pay, the grace not counted."""
    return occasion.booking.pay_by is not None and occasion.booking.pay_by > occasion.now


def start_ahead(occasion: Occasion) -> bool:
    """The session has not begun."""
    return occasion.booking.slot_start is not None and occasion.booking.slot_start > occasion.now


def end_ahead(occasion: Occasion) -> bool:
    """The session is not over."""
    return occasion.booking.slot_end is not None and occasion.booking.slot_end > occasion.now


def link_readable(occasion: Occasion) -> bool:
    """The booking link of a closed booking works for a while."""
    closed_at = occasion.booking.closed_at
    return closed_at is None or closed_at + policy.LINK_KEPT_AFTER_CLOSE > occasion.now


def again_link_ahead(occasion: Occasion) -> bool:
    """The link to ask again still works."""
    return occasion.message.created_at + policy.AGAIN_LINK_LIFETIME > occasion.now


def cancel_link_ahead(occasion: Occasion) -> bool:
    """The link that proves the wish to cancel still works."""
    return occasion.message.created_at + policy.CANCEL_LINK_LIFETIME > occasion.now


# -- the person and their bookings -------------------------------------------------------------------------------------


def never_proved(occasion: Occasion) -> bool:
    """Closed as unproved, and the person did not get through by another draft; a superseded one closes in silence."""
    came_back = Booking.objects.filter(client__email=occasion.message.recipient, state__in=ACTIVE)
    return occasion.booking.reason == Reason.EMAIL_NOT_VERIFIED and not came_back.exists()


def proved(occasion: Occasion) -> bool:
    """The address was proved at some time."""
    return occasion.booking.reason not in (Reason.EMAIL_NOT_VERIFIED, Reason.SUPERSEDED)


def no_newer_booking(occasion: Occasion) -> bool:
    """The person has not asked again with success."""
    booking = occasion.booking
    return not Booking.objects.filter(client_id=booking.client_id, state__in=ACTIVE, pk__gt=booking.pk).exists()


# -- cancellations -----------------------------------------------------------------------------------------------------


def cancellation_asked(occasion: Occasion) -> bool:
    """The visitor asked to cancel and has not proved it yet."""
    return occasion.booking.cancellation_requested_at is not None


def newest_request(occasion: Occasion) -> bool:
    """No later request wrote a mail; one that was suppressed for being asked too often overtakes nothing."""
    later = Message.objects.filter(
        booking_id=occasion.booking.pk, kind=Notice.CANCELLATION_REQUESTED, pk__gt=occasion.message.pk
    )
    return not later.exclude(state=MessageState.SUPPRESSED).exists()


# -- money -------------------------------------------------------------------------------------------------------------


def payment_recorded(occasion: Occasion) -> bool:
    """The payment it speaks of is known; what came in stays recorded."""
    return occasion.payment is not None


def refund_owed(occasion: Occasion) -> bool:
    """The refund has not been made yet, also when the gateway refused it."""
    return occasion.refund is not None and occasion.refund.state != RefundState.DONE


def refund_made(occasion: Occasion) -> bool:
    """The refund is made, which is final."""
    return occasion.refund is not None and occasion.refund.state == RefundState.DONE


# -- the psychologist --------------------------------------------------------------------------------------------------


def taken_from_them(occasion: Occasion) -> bool:
    """The session was called off, or went to a colleague and has not come back."""
    entry = occasion.entry
    if entry is None or entry.intent != "reschedule":
        return State(occasion.booking.state) is State.CANCELLED
    return bool(occasion.booking.psychologist_id != entry.details["from_psychologist"])
