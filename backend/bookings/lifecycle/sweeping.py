"""What time does to bookings, by one step: to one booking by its id, or to a batch of those that are due.

A step judges the locked booking again and says whether it did anything. In a batch its writes wait for those of the
others (`core/batched_writes.py`), so it reads nothing that a step writes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import update_wrapper
from typing import Protocol

from django.db import connection
from django.db.models import QuerySet

from backend.bookings import policy
from backend.bookings.lifecycle.transaction import MACHINES_FIELDS, intent, lock_booking
from backend.bookings.models import Booking
from backend.core import batched_writes, row_locks

# what steps read; a column that is missing costs a statement for each booking, and the tests count them
READ = (*MACHINES_FIELDS, "email", "mode", "purged_at")


def take_free(due: QuerySet[Booking]) -> list[Booking]:
    """Those that nobody holds, locked until commit, with what steps read."""
    return row_locks.lock_free(due.only(*READ))


class Step(Protocol):
    def __call__(self, booking: Booking, /, *, now: datetime) -> bool: ...


class BatchFailed(Exception):
    """Nothing of it was kept: each of its bookings is to be tried alone."""

    def __init__(self, booking_ids: list[int]) -> None:
        super().__init__(f"{len(booking_ids)} bookings")
        self.booking_ids = booking_ids


class TimedIntent:
    """An intent that a sweep calls, named as its step."""

    __name__: str

    def __init__(
        self,
        step: Step,
        *,
        due: Callable[[datetime], QuerySet[Booking]],
        lock: Callable[[int], Booking] = lock_booking,
        take: Callable[[QuerySet[Booking]], list[Booking]] = take_free,
    ) -> None:
        update_wrapper(self, step)
        self._step, self._due, self._lock, self._take = step, due, lock, take

    @intent
    def __call__(self, booking_id: int, /, *, now: datetime) -> bool:
        """One booking, in its own transaction; False: there was nothing to do. Refuses: booking_unknown."""
        return self._step(self._lock(booking_id), now=now)

    def batch(self, *, now: datetime, besides: Collection[int] = ()) -> dict[int, bool]:
        """The bookings longest due that nobody holds, in one transaction: which there were, and what was done.

        Raises BatchFailed when one of them fails.
        """
        due = self._due(now).exclude(pk__in=besides)
        if not due.exists():  # as nearly always: one statement, and no transaction
            return {}
        taken: list[int] = []
        try:
            return self._together(due[: _at_once()], taken, now=now)
        except Exception as error:
            if not taken:
                raise
            raise BatchFailed(taken) from error

    @intent
    def _together(self, due: QuerySet[Booking], taken: list[int], *, now: datetime) -> dict[int, bool]:
        bookings = self._take(due)
        bookings.sort(key=lambda booking: booking.pk)
        taken[:] = [booking.pk for booking in bookings]
        with batched_writes.batch():
            return {booking.pk: self._step(booking, now=now) for booking in bookings}


def timed(
    *,
    due: Callable[[datetime], QuerySet[Booking]],
    lock: Callable[[int], Booking] = lock_booking,
    take: Callable[[QuerySet[Booking]], list[Booking]] = take_free,
) -> Callable[[Step], TimedIntent]:
    """Make a step the intent of these bookings; `lock` and `take` are for those that need more than their own row."""
    return lambda step: TimedIntent(step, due=due, lock=lock, take=take)


def _at_once() -> int:
    """SQLite has one writer, and others wait for it."""
    has_rows = connection.features.has_select_for_update_skip_locked
    return policy.SWEEP_BATCH if has_rows else min(policy.SWEEP_BATCH, policy.SWEEP_BATCH_OF_ONE_WRITER)
