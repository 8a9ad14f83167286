"""Numbers of receipts and credit notes: one series a kind and financial year, without a gap or a double.

The number is taken in the transaction that moves the money, and goes back with it. Who takes one holds the series until
commit, so this is the last lock that a transaction takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from backend.core import compiled_writes, row_locks
from backend.core.compiled_queries import Given
from backend.payments.receipt_models import DocumentKind, ReceiptSeries

PREFIXES = {DocumentKind.RECEIPT: "MS", DocumentKind.CREDIT_NOTE: "CN"}
APRIL = 4


@dataclass(frozen=True)
class Place:
    """A document's place in its series."""

    kind: DocumentKind
    year: int
    sequence: int

    @property
    def number(self) -> str:
        """`MS/26-27/000123`: 15 characters, 16 from a million on, which is what the law allows."""
        return f"{PREFIXES[self.kind]}/{self.year % 100:02d}-{(self.year + 1) % 100:02d}/{self.sequence:06d}"


def financial_year(on: date) -> int:
    """The year in which the one that holds this day begins."""
    return on.year if on.month >= APRIL else on.year - 1


def take(kind: DocumentKind, on: date) -> Place:
    """The next place, held until commit. Raises OperationalError when somebody holds the series for too long."""
    year = financial_year(on)
    series = _locked(kind, year)
    place = Place(kind, year, series.next_number)
    series.next_number += 1
    compiled_writes.update(series, ("next_number",))
    return place


def _locked(kind: DocumentKind, year: int) -> ReceiptSeries:
    if not (found := _series.take(kind=kind, year=year)):
        ReceiptSeries.objects.bulk_create([ReceiptSeries(kind=kind, year=year)], ignore_conflicts=True)
        found = _series.take(kind=kind, year=year)
    return found[0]


_series = row_locks.Lock(lambda: ReceiptSeries.objects.filter(kind=Given("kind"), year=Given("year")).order_by())
