"""The moment at which a notice would leave, with the rows that it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter

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
    def ledger(self) -> list[LedgerEntry]:
        """The booking's, in its order."""
        return list(self.booking.ledger.all())

    @property
    def later(self) -> Iterator[LedgerEntry]:
        """What happened since the message was owed."""
        return (entry for entry in self.ledger if entry.sequence > (self.message.ledger_sequence or 0))

    @cached_property
    def entry(self) -> LedgerEntry | None:
        """The ledger row that the message speaks of."""
        return next((entry for entry in self.ledger if entry.sequence == self.message.ledger_sequence), None)

    @cached_property
    def payments(self) -> list[Payment]:
        """All of the booking's, in the order in which they were begun."""
        return sorted(self.booking.payments.all(), key=attrgetter("pk"))

    @cached_property
    def payment(self) -> Payment | None:
        """The payment that the ledger row names."""
        named = payment_named(self.entry) if self.entry is not None else None
        return next((payment for payment in self.payments if payment.pk == named), None)

    @cached_property
    def refunds(self) -> list[Refund]:
        """The refunds that the ledger row names: several of a sum that was paid in parts."""
        named = refunds_named(self.entry) if self.entry is not None else ()
        found = (refund for payment in self.payments for refund in payment.refunds.all() if refund.pk in named)
        return sorted(found, key=attrgetter("pk"))


Condition = Callable[[NotificationContext], bool]
ContextBuilder = Callable[[NotificationContext], TemplateContext]
