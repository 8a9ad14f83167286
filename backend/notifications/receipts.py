"""The receipts and credit notes that mails bring, and how long a mail waits until one is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives

from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.bookings.payment_status import paid_payments
from backend.core.errors import Permanent
from backend.notifications.notification_context import NotificationContext, TemplateContext
from backend.outbox.models import Message
from backend.payments import receipt_files, receipts
from backend.payments.models import Receipt

LOOKS_AGAIN = timedelta(seconds=1)
# somebody looks for the first at once, and finds a link in them; the last has none
WAITS = {
    Notice.BOOKING_CONFIRMED: timedelta(seconds=10),
    Notice.LATE_PAYMENT_BOOKED: timedelta(seconds=10),
    Notice.PAYMENT_RECEIVED: timedelta(seconds=10),
    Notice.PAYMENT_VOIDED: timedelta(seconds=10),
    Notice.REFUND_MADE: timedelta(minutes=10),
}


def awaited_until(message: Message, about: Sequence[Booking], *, now: datetime) -> datetime | None:
    """When to look again, while the receipt that this mail shall bring is being made and it is worth waiting.

    A mail that may have left says what it said.
    """
    if message.kind not in WAITS or not message.recipient or not about or message.may_have_left:
        return None
    receipt = _told(NotificationContext(about[0], message, now))
    if receipt is None or receipt_files.is_kept(receipt):
        return None
    left = receipt.at + WAITS[Notice(message.kind)] - now
    is_worth_it = timedelta(0) < left <= WAITS[Notice(message.kind)]  # a clock that went back makes no longer wait
    return now + min(LOOKS_AGAIN, left) if is_worth_it else None


def attached_receipt(notification: NotificationContext) -> TemplateContext:
    """Its number, if the mail brings it; or that it is not made yet."""
    receipt = _told(notification)
    if receipt is None:
        return {}
    is_kept = receipt_files.is_kept(receipt)
    return {"receipt_number": receipt.number, "is_receipt_attached": is_kept}


def is_attached(context: TemplateContext) -> bool:
    """Whether the frozen words name a document that the mail brings."""
    return bool(context.get("is_receipt_attached"))


def attach(mail: EmailMultiAlternatives, context: TemplateContext) -> None:
    """That document, if there is one. Raises Permanent where it is gone, Damaged where it was changed."""
    if not is_attached(context):
        return
    receipt = Receipt.objects.get(number=context["receipt_number"])
    content = receipt_files.content(receipt)
    if content is None:
        raise Permanent("the receipt that this mail brings is gone", surely_not_sent=True)
    mail.attach(receipt_files.file_name(receipt), content, "application/pdf")


def _told(notification: NotificationContext) -> Receipt | None:
    """The receipt of the payment that confirmed, or that came; the credit note of one taken back, or of the refund."""
    notice = Notice(notification.message.kind)
    if notice == Notice.REFUND_MADE:
        return Receipt.objects.filter(refund__in=notification.refunds).first()
    if notice == Notice.PAYMENT_VOIDED:
        return receipts.taking_back(notification.payment) if notification.payment else None
    if notice == Notice.PAYMENT_RECEIVED:
        return receipts.of_payment(notification.payment) if notification.payment else None
    paid = paid_payments(notification.booking)
    return receipts.of_payment(paid[-1]) if paid else None
