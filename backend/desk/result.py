"""What a step did, read from the rows that it left: the state, the money that moves, the mails that are owed."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils.html import format_html

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Captured, PaymentVoided, details_of, refunds_named
from backend.bookings.machine import AWAITS_PAYMENT, HOLDS_SLOT
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.payment_status import outstanding_paise
from backend.core.formatting import money, short_day_and_time, short_span
from backend.desk.words import message_name
from backend.outbox import bundles
from backend.outbox.models import Message, Queue
from backend.payments.models import PaymentMethod, Refund, RefundState


def describe_result(booking: Booking) -> str:
    """One paragraph about the booking's last step, with a link to where it is undone while it can be."""
    where = f": {booking.psychologist}, {short_day_and_time(booking.slot_start)}" if booking.state in HOLDS_SLOT else ""
    to_pay = (
        f" {money(outstanding_paise(booking))} to be paid by {short_day_and_time(booking.pay_by)}."
        if _is_owed(booking)
        else ""
    )
    told = f"{booking} is {booking.get_state_display()}{where}.{to_pay}{_recorded(booking)} {_mails(booking)}"
    if booking.undo_until is None:
        return told
    return format_html('{} <a href="{}">Undo</a>', told, reverse("admin:bookings_booking_undo", args=[booking.pk]))


def _is_owed(booking: Booking) -> bool:
    return booking.pay_by is not None and booking.state in AWAITS_PAYMENT


def _recorded(booking: Booking) -> str:
    """What the step wrote beside the state: an outcome, money in hand, money that goes back."""
    entry = LedgerEntry.objects.filter(booking=booking, sequence=booking.ledger_sequence).first()
    if entry is None:
        return ""
    if entry.intent == Intent.RECORD_OUTCOME:
        return f" Recorded: {booking.get_outcome_display()}."
    if entry.intent == Intent.RECORD_DESK_PAYMENT:
        return f" Recorded: {money(details_of(entry, Captured).captured_paise)} paid."
    if entry.intent == Intent.VOID_DESK_PAYMENT:
        return f" Taken back: {money(details_of(entry, PaymentVoided).captured_paise)} paid."
    refunds = Refund.objects.filter(pk__in=refunds_named(entry), state=RefundState.QUEUED).select_related("payment")
    return "".join(f" {going_back(refund)}" for refund in refunds.order_by("pk"))


def going_back(refund: Refund) -> str:
    """Money that is owed back, and on which way."""
    is_desk = refund.payment.method == PaymentMethod.DESK
    by_hand = "is to be handed out at the desk: mark the refund as made then"
    how = by_hand if is_desk else "goes back through the gateway"
    return f"{money(refund.amount_paise)} {how}."


def _mails(booking: Booking) -> str:
    owed = Message.objects.filter(bundles.about_step(booking.pk, booking.ledger_sequence), queue=Queue.MAIL).order_by(
        "not_before", "pk"
    )
    return f"Mails: {', '.join(map(mail, owed)) or 'none'}."


def mail(message: Message, *, by_telephone: bool = False) -> str:
    """`request approved to asha@example.org (now)`, or `by telephone`, or with the instant that it is planned for."""
    wait = message.not_before - message.created_at
    if wait <= timedelta(0):
        when = "now"
    elif wait == policy.UNDO_WINDOW:
        when = f"in {short_span(wait)}, unless undone"
    else:
        when = short_day_and_time(message.not_before)
    to = "by telephone" if by_telephone or not message.recipient else f"to {message.recipient}"
    return f"{message_name(message.kind)} {to} ({when})"
