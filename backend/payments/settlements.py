"""What gateways paid out: fetched day by day, kept line by line, and never changed afterwards."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from django.utils import timezone

from backend.payments.gateway import Gateway, SettledItem, Unread
from backend.payments.models import Payment, SettlementLine

log = logging.getLogger(__name__)
LOOKED_BACK = timedelta(days=3)  # a gateway may add to a day after its end
STILL_PAID_OUT = timedelta(days=30)  # after its last payment a gateway has nothing left to pay out


def gateways_in_use(*, now: datetime) -> list[str]:
    """Names of those that took money of late, or are taking it."""
    lately = Payment.objects.exclude(gateway="").filter(started_at__gt=now - STILL_PAID_OUT)
    return sorted(set(lately.order_by().values_list("gateway", flat=True).distinct()))


def days_to_fetch(*, now: datetime) -> list[date]:
    """The practice's last days that are over, oldest first."""
    today = timezone.localdate(now)
    return [today - timedelta(days=back) for back in range(LOOKED_BACK.days, 0, -1)]


def fetch_day(gateway: Gateway, day: date) -> int:
    """Ask for the lines of a day and keep those that are new; returns how many. Raises Transient, Permanent.

    One that cannot be read is logged, and leaves its payment as one that was not paid out; the others are kept.
    """
    items = list(gateway.settled_items(day))
    for item in items:
        if isinstance(item, Unread):
            log.error("a line of %s of %s cannot be read: %s", gateway.name, day, item.what)
    lines = [
        SettlementLine(
            gateway=gateway.name,
            kind=item.kind,
            gateway_id=item.gateway_id,
            reference=item.reference,
            amount_paise=item.amount_paise,
            fee_paise=item.fee_paise,
            tax_paise=item.tax_paise,
            currency=item.currency,
            settlement_id=item.settlement_id,
            bank_reference=item.bank_reference,
            settled_at=item.settled_at,
        )
        for item in items
        if isinstance(item, SettledItem)
    ]
    of_them = SettlementLine.objects.filter(gateway=gateway.name, gateway_id__in=[line.gateway_id for line in lines])
    known = set(of_them.values_list("kind", "gateway_id", "settlement_id"))
    new = [line for line in lines if (line.kind, line.gateway_id, line.settlement_id) not in known]
    SettlementLine.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)
