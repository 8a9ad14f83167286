"""Payments, refunds and received webhooks as staff see them; money moves through the lifecycle, never from here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from backend.bookings import actors
from backend.bookings.lifecycle.refunds import RefundReason
from backend.core.admin_pages import ReadOnly
from backend.core.formatting import NOTHING, money, short_day_and_time
from backend.desk.long_lists import LongList
from backend.desk.whole_ids import FoundByIds
from backend.payments.models import InboxEvent, Payment, Refund


class RefundWords:
    """Of a refund, wherever it is shown."""

    @admin.display(description="reason", ordering="reason")
    def why(self, refund: Refund) -> str:
        return RefundReason(refund.reason).label if refund.reason in RefundReason else refund.reason

    @admin.display(description="who", ordering="actor")
    def who(self, refund: Refund) -> str:
        return actors.describe(refund.actor)

    @admin.display(description="amount", ordering="amount_paise")
    def amount(self, refund: Refund) -> str:
        return money(refund.amount_paise, refund.payment.currency)

    @admin.display(description="asked for", ordering="queued_at")
    def queued(self, refund: Refund) -> str:
        return short_day_and_time(refund.queued_at)

    @admin.display(description="settled", ordering="settled_at")
    def settled(self, refund: Refund) -> str:
        return short_day_and_time(refund.settled_at)


class RefundInline(RefundWords, ReadOnly, admin.TabularInline[Refund, Payment]):
    model = Refund
    extra = 0
    fields = readonly_fields = ("reference", "state", "amount", "why", "who", "queued", "settled")
    show_change_link = True


HOW = ("paid_by", "bank_reference", "received_on")


@admin.register(Payment)
class PaymentAdmin(FoundByIds, LongList, ReadOnly, admin.ModelAdmin[Payment]):
    list_display = ["reference", "booking", "state", "amount", "captured", "unexpected", "method", "started"]
    list_filter = ["state", "method", "is_unexpected"]
    list_select_related = ["booking"]
    search_fields = whole_ids = ("reference", "gateway_order_id", "capture_id")
    search_help_text = "Acknowledgement id, or a whole reference, order or capture id"
    inlines = [RefundInline]
    fieldsets = [
        (None, {"fields": ["reference", "booking", "state", "method", "amount"]}),
        (
            "What arrived",
            {"fields": ["captured", "captured_at_time", "paid_by", "bank_reference", "received_on", "is_unexpected"]},
        ),
        ("Gateway", {"fields": ["gateway", "gateway_order_id", "capture_id", "asked", "started", "closed"]}),
    ]

    @admin.display(description="amount", ordering="amount_paise")
    def amount(self, payment: Payment) -> str:
        return money(payment.amount_paise, payment.currency)

    @admin.display(description="captured", ordering="captured_paise")
    def captured(self, payment: Payment) -> str:
        return money(payment.captured_paise, payment.captured_currency) if payment.captured_paise else NOTHING

    @admin.display(description="captured at")
    def captured_at_time(self, payment: Payment) -> str:
        return short_day_and_time(payment.captured_at)

    @admin.display(description="unexpected", ordering="is_unexpected")
    def unexpected(self, payment: Payment) -> str:
        return "yes" if payment.is_unexpected else NOTHING

    @admin.display(description="started", ordering="started_at")
    def started(self, payment: Payment) -> str:
        return short_day_and_time(payment.started_at)

    @admin.display(description="closed")
    def closed(self, payment: Payment) -> str:
        return short_day_and_time(payment.closed_at)


@admin.register(Refund)
class RefundAdmin(FoundByIds, LongList, RefundWords, ReadOnly, admin.ModelAdmin[Refund]):
    list_display = ["reference", "payment", "state", "amount", "why", "who", "queued", "settled"]
    list_filter = ["state", "reason"]
    list_select_related = ["payment"]
    of_booking = "payment__booking"
    search_fields = whole_ids = ("reference", "gateway_refund_id", "payment__reference")
    search_help_text = "Acknowledgement id, or a whole reference of refund or payment"
    fields = ["reference", "payment", "state", "amount", "why", "who", "gateway_refund_id", "queued", "settled"]


@admin.register(InboxEvent)
class InboxEventAdmin(FoundByIds, LongList, ReadOnly, admin.ModelAdmin[InboxEvent]):
    list_display = ["event_id", "gateway", "kind", "payment_reference", "result", "received"]
    list_filter = ["result", "gateway"]
    search_fields = whole_ids = ("event_id", "payment_reference")
    search_help_text = "Acknowledgement id, or a whole id of an event, or a payment's reference"
    fields = ["event_id", "gateway", "kind", "payment_reference", "result", "why", "received", "correlation_id"]

    def of_bookings(self, queryset: QuerySet[InboxEvent], ids: QuerySet[Any, Any]) -> QuerySet[InboxEvent]:
        return queryset.filter(payment_reference__in=Payment.objects.filter(booking__in=ids).values("reference"))

    @admin.display(description="received", ordering="received_at")
    def received(self, event: InboxEvent) -> str:
        return short_day_and_time(event.received_at)
