"""Preview of an intent: it runs, the rows it wrote are read, and everything is rolled back.

So what a page foretells is what happens then. The price is a short hold of the intent's locks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from django.db import models, transaction

from backend.bookings.models import Alternative, Booking, LedgerEntry, SlotClaim
from backend.bookings.payment_status import left_paise, outstanding_paise
from backend.core import row_locks
from backend.core.errors import required
from backend.outbox import bundles
from backend.outbox.models import Message
from backend.payments.models import Payment, Refund
from backend.scheduling import claims

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Rows:
    """A booking as it stands, and the rows that belong to it; a booking that does not exist has none."""

    booking: Booking | None
    claim: SlotClaim | None
    ledger: list[LedgerEntry]
    messages: list[Message]
    payments: list[Payment]
    refunds: list[Refund]
    alternatives: list[Alternative]


@dataclass(frozen=True)
class BookingChange:
    """What became of a booking: how it was (None: not there) and is, and the rows that were added or took a step."""

    before: Booking | None
    after: Booking
    claim_before: SlotClaim | None
    claim_after: SlotClaim | None
    ledger: list[LedgerEntry]
    messages: list[Message]
    payments: list[Payment]
    refunds: list[Refund]
    alternatives: list[Alternative]
    left_paise: int  # what the practice then holds of the visitor's money
    outstanding_paise: int  # what is then left to pay


class ChangeObserver:
    """Reads the bookings when it is made, and later tells what changed. For a new booking everything has changed."""

    def __init__(self, *booking_ids: int) -> None:
        self._before = {booking_id: _rows_of(booking_id) for booking_id in booking_ids}

    def change(self, booking_id: int) -> BookingChange:
        """Read within the transaction that made it."""
        before, after = self._before.get(booking_id, _NOTHING), _rows_of(booking_id)
        booking = required(after.booking, "booking", booking_id)
        return BookingChange(
            before=before.booking,
            after=booking,
            claim_before=before.claim,
            claim_after=after.claim,
            ledger=_new(before.ledger, after.ledger),
            messages=_new(before.messages, after.messages),
            payments=_stepped(before.payments, after.payments),
            refunds=_stepped(before.refunds, after.refunds),
            alternatives=_new(before.alternatives, after.alternatives),
            left_paise=left_paise(booking),
            outstanding_paise=outstanding_paise(booking),
        )


@contextmanager
def preview_transaction(*booking_ids: int) -> Iterator[ChangeObserver]:
    """Rolls back everything that was written within. For one intent, which takes its own locks."""
    with transaction.atomic():
        yield ChangeObserver(*booking_ids)
        transaction.set_rollback(True)


@contextmanager
def preview_transaction_many(
    booking_ids: Collection[int], psychologist_ids: Collection[int]
) -> Iterator[ChangeObserver]:
    """For intents that later have a transaction each: here they share one, so all of their locks come first, in order.

    Else the second intent would ask for a psychologist while the first one's booking is held, against that order.
    """
    holders = Booking.objects.filter(pk__in=booking_ids, psychologist__isnull=False)
    with transaction.atomic():
        claims.lock_psychologists([*psychologist_ids, *holders.values_list("psychologist_id", flat=True)])
        row_locks.lock(Booking.objects.filter(pk__in=booking_ids).order_by("pk").only("pk"))
        yield ChangeObserver(*booking_ids)
        transaction.set_rollback(True)


def preview_change(booking_id: int, act: Callable[[], object]) -> BookingChange:
    """What one intent would do with a booking. Raises what it raises, with nothing written either."""
    with preview_transaction(booking_id) as witness:
        act()
        return witness.change(booking_id)


_NOTHING = Rows(None, None, [], [], [], [], [])


def _rows_of(booking_id: int) -> Rows:
    """The visitor's message stays encrypted: no preview shows it."""
    found = Booking.objects.filter(pk=booking_id).defer("user_message")
    refunds = Refund.objects.filter(payment__booking=booking_id).select_related("payment")
    alternatives = Alternative.objects.filter(booking=booking_id).select_related("psychologist")
    return Rows(
        booking=found.select_related("psychologist", "corporate").first(),
        claim=SlotClaim.objects.filter(booking=booking_id).select_related("psychologist").first(),
        ledger=list(LedgerEntry.objects.filter(booking=booking_id).order_by("sequence")),
        messages=list(Message.objects.filter(bundles.about(booking_id)).order_by("not_before", "pk")),
        payments=list(Payment.objects.filter(booking=booking_id).order_by("pk")),
        refunds=list(refunds.order_by("pk")),
        alternatives=list(alternatives.order_by("number")),
    )


def _new(before: list[Row], after: list[Row]) -> list[Row]:
    known = {row.pk for row in before}
    return [row for row in after if row.pk not in known]


def _stepped(before: list[Row], after: list[Row]) -> list[Row]:
    """Those that are new, or in another state."""
    known = {(row.pk, _state(row)) for row in before}
    return [row for row in after if (row.pk, _state(row)) not in known]


def _state(row: models.Model) -> object:
    return row.serializable_value("state")
