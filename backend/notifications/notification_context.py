"""The moment at which a notice would leave, with the rows that it speaks of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from backend.bookings.ledger_details import payment_named, refunds_named
from backend.bookings.models import Booking, LedgerEntry
from backend.outbox.models import Message
from backend.payments.models import Payment, Refund

TemplateContext = dict[str, object]  # goes into a JSON column: text, numbers, flags, lists of them


@dataclass(frozen=True)
class NotificationContext:
    """A message about to leave at `now`, and its booking read again; of several bookings, one of them."""

    booking: Booking
    message: Message
    now: datetime

    @cached_property
    def entry(self) -> LedgerEntry | None:
        """The ledger row that the message speaks of."""
        return LedgerEntry.objects.filter(booking=self.booking, sequence=self.message.ledger_sequence or 0).first()

    @cached_property
    def payment(self) -> Payment | None:
        """The payment that the ledger row names."""
        named = payment_named(self.entry) if self.entry is not None else None
        return Payment.objects.filter(booking=self.booking, pk=named).first() if named is not None else None

    @cached_property
    def refunds(self) -> list[Refund]:
        """The refunds that the ledger row names: several of a sum that was paid in parts."""
        named = refunds_named(self.entry) if self.entry is not None else ()
        refunds = Refund.objects.select_related("payment").filter(payment__booking=self.booking)
        return list(refunds.filter(pk__in=named).order_by("pk")) if named else []


Condition = Callable[[NotificationContext], bool]
ContextBuilder = Callable[[NotificationContext], TemplateContext]
