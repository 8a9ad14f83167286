"""Looks at the rounds in which our books are compared with the gateway's: what no event told of is booked by one."""

from __future__ import annotations

from collections.abc import Iterator

from backend.payments.models import Payment, Reconciliation
from tests.chaos.figures import Figure, none_of
from tests.chaos.journal import Journal
from tests.support.repeating import Observer


class Rounds(Observer):
    """When each round that came to its end began, and when it ended, in Unix seconds."""

    every = 0.3  # seconds; between two rounds there are some

    def __init__(self) -> None:
        super().__init__()
        self.ended: dict[float, float] = {}

    def look(self) -> None:
        for begun_at, completed_at in Reconciliation.objects.values_list("begun_at", "completed_at"):
            if completed_at is not None and completed_at >= begun_at:
                self.ended[begun_at.timestamp()] = completed_at.timestamp()

    def first_after(self, at: float) -> float | None:
        """When the first round ended that began after it."""
        return next((self.ended[begun] for begun in sorted(self.ended) if begun > at), None)

    def figures(self, journal: Journal) -> list[Figure]:
        return [
            Figure("rounds of comparing with the gateway that ended", str(len(self.ended))),
            Figure("captures that no event told", str(len(journal.untold))),
            none_of("of them not booked when the next round ended", list(self._missed(journal))),
        ]

    def _missed(self, journal: Journal) -> Iterator[str]:
        noted = dict(Payment.objects.filter(reference__in=journal.untold).values_list("reference", "captured_at"))
        for reference, at in journal.untold.items():
            ended_at, noted_at = self.first_after(at), noted.get(reference)
            if ended_at is None or noted_at is None or noted_at.timestamp() > ended_at:
                yield f"{reference}, captured at {at:.1f}: the round ended at {ended_at}, we noted it at {noted_at}"
