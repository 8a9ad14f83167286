"""When is a notice true, beyond the state of its booking? Each function looks at one thing that can overtake it."""

from __future__ import annotations

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Moved, details_of
from backend.bookings.machine import ACTIVE, Reason, State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.notifications.notification_context import Condition, NotificationContext
from backend.outbox.models import Message
from backend.payments.models import OVER, RefundState


def closed_because(*reasons: Reason) -> Condition:
    """The booking closed, or its attempt ended, for one of these reasons."""

    def truth(notification: NotificationContext) -> bool:
        return notification.booking.reason in reasons

    return truth


def none_since(*intents: Intent) -> Condition:
    """The ledger has no later row of these intents: each of them owes a notice that says more."""

    def truth(notification: NotificationContext) -> bool:
        return not any(entry.intent in intents for entry in notification.later)

    return truth


# a move's own notice has the new time, and that of a choice says that the old one cannot be held
time_stands = none_since(Intent.RESCHEDULE, Intent.OFFER_CHOICE)


def still_confirmed(notification: NotificationContext) -> bool:
    """Nobody took back the payment that had confirmed the session: the next one owes all of it anew."""
    taken_back = (Intent.VOID_DESK_PAYMENT, State.APPROVED)
    return not any((entry.intent, entry.target) == taken_back for entry in notification.later)


def not_confirmed_since(notification: NotificationContext) -> bool:
    """No payment and no sponsor has confirmed the session anew, which owes a notice of its own."""
    into = (entry for entry in notification.later if entry.target == State.CONFIRMED and entry.source != entry.target)
    return all(entry.intent == Intent.UNDO_DECISION for entry in into)


# -- deadlines ---------------------------------------------------------------------------------------------------------


def deadline_ahead(notification: NotificationContext) -> bool:
    """The state's own deadline has not passed."""
    return notification.booking.due_at is not None and notification.booking.due_at > notification.now


def pay_by_ahead(notification: NotificationContext) -> bool:
    """There is time to pay, the grace not counted."""
    return notification.booking.pay_by is not None and notification.booking.pay_by > notification.now


def start_ahead(notification: NotificationContext) -> bool:
    """The session has not begun."""
    return notification.booking.slot_start is not None and notification.booking.slot_start > notification.now


def end_ahead(notification: NotificationContext) -> bool:
    """The session is not over."""
    return notification.booking.slot_end is not None and notification.booking.slot_end > notification.now


def link_readable(notification: NotificationContext) -> bool:
    """The booking link of a closed booking works for a while."""
    closed_at = notification.booking.closed_at
    return closed_at is None or closed_at + policy.LINK_KEPT_AFTER_CLOSE > notification.now


def again_link_ahead(notification: NotificationContext) -> bool:
    """The link to ask again still works."""
    return notification.message.created_at + policy.AGAIN_LINK_LIFETIME > notification.now


def cancel_link_ahead(notification: NotificationContext) -> bool:
    """The link that proves the wish to cancel still works."""
    return notification.message.created_at + policy.CANCEL_LINK_LIFETIME > notification.now


# -- the person and their bookings -------------------------------------------------------------------------------------


def never_proved(notification: NotificationContext) -> bool:
    """Closed as unproved, and the person did not get through by another draft; a superseded one closes in silence."""
    came_back = Booking.objects.filter(client__email=notification.message.recipient, state__in=ACTIVE)
    return notification.booking.reason == Reason.EMAIL_NOT_VERIFIED and not came_back.exists()


def proved(notification: NotificationContext) -> bool:
    """The address was proved at some time."""
    return notification.booking.reason not in (Reason.EMAIL_NOT_VERIFIED, Reason.SUPERSEDED)


def no_newer_booking(notification: NotificationContext) -> bool:
    """The person has not asked again with success."""
    booking = notification.booking
    if booking.client_id is None:  # purged: nobody is known to ask again
        return True
    return not Booking.objects.filter(client_id=booking.client_id, state__in=ACTIVE, pk__gt=booking.pk).exists()


def consent_stands(notification: NotificationContext) -> bool:
    """The person has not withdrawn it: then nothing leaves that only reminds."""
    return notification.booking.consent_withdrawn_at is None


# -- calling off, and choosing -----------------------------------------------------------------------------------------


def cancellation_asked(notification: NotificationContext) -> bool:
    """The visitor asked to cancel and has not proved it yet."""
    return notification.booking.cancellation_requested_at is not None


def newest_request(notification: NotificationContext) -> bool:
    """No later request wrote a mail."""
    later = Message.objects.filter(
        booking_id=notification.booking.pk, kind=Notice.CANCELLATION_REQUESTED, pk__gt=notification.message.pk
    )
    return not later.exists()


def choice_ahead(notification: NotificationContext) -> bool:
    """The visitor may still choose another time."""
    return notification.booking.choose_by is not None and notification.booking.choose_by > notification.now


# -- money -------------------------------------------------------------------------------------------------------------


def payment_recorded(notification: NotificationContext) -> bool:
    """The payment it speaks of is known; what came in stays recorded."""
    return notification.payment is not None


def payment_stands(notification: NotificationContext) -> bool:
    """Staff have not taken back that it came, and it does not go back as more than is to be paid."""
    return notification.payment is not None and notification.payment.counts


def refund_owed(notification: NotificationContext) -> bool:
    """It has not all been made yet, also when the gateway refused it."""
    return any(refund.state not in OVER for refund in notification.refunds)


def not_refused_since(notification: NotificationContext) -> bool:
    """The gateway has not refused it since this was owed: the refusal owes a notice of the other way."""
    refused = {entry.details.get("refund") for entry in notification.later if entry.intent == Intent.REFUND_REFUSED}
    return refused.isdisjoint(refund.pk for refund in notification.refunds)


def refund_made(notification: NotificationContext) -> bool:
    """The refund is made, which is final."""
    return any(refund.state == RefundState.DONE for refund in notification.refunds)


# -- the psychologist --------------------------------------------------------------------------------------------------


def taken_from_them(notification: NotificationContext) -> bool:
    """The session was called off, or went to a colleague and has not come back."""
    entry = notification.entry
    if entry is None or entry.intent != Intent.RESCHEDULE:
        return State(notification.booking.state) is State.CANCELLED
    return notification.booking.psychologist_id != details_of(entry, Moved).from_psychologist
