"""What every intent is made of: the transaction with its retry, the locks in their order, the step, the notice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, transaction
from django.db.models import Model
from django_fsm import TransitionNotAllowed

from backend.bookings import links
from backend.bookings.actors import TIMER as TIMER
from backend.bookings.actors import VISITOR as VISITOR
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Details, Undoable, kind_of
from backend.bookings.lifecycle import announcements, rooms
from backend.bookings.lifecycle.saving import save
from backend.bookings.machine import FINAL, HOLDS_SLOT, State
from backend.bookings.models import Booking, LedgerEntry
from backend.core import batched_writes, compiled_writes, correlation, row_locks
from backend.core.compiled_queries import Given
from backend.core.errors import Code, Refused
from backend.core.row_locks import Locking
from backend.core.statements import Statement
from backend.outbox import holds
from backend.people.models import Client
from backend.scheduling import claims

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=Model)

TRIES = 4  # the first and up to three more, after a deadlock or a serialization failure
_CONFLICTS = {"40001", "40P01"}  # serialization_failure, deadlock_detected: PostgreSQL manual, appendix A

MACHINES_FIELDS = (
    "state",
    "reason",
    "due_at",
    "closed_at",
    "next_ask_at",
    "cancellation_requested_at",
    "choose_by",
    "undo_until",
    "ledger_sequence",
)


def intent(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in one transaction, and again from its start when the database chose it as a deadlock's victim."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for tries_left in range(TRIES - 1, -1, -1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if not tries_left or getattr(error.__cause__, "sqlstate", None) not in _CONFLICTS:
                    raise
        raise AssertionError("unreachable")

    return run


# Locks, always in this order: client, psychologists by id, bookings by id, the sponsor, payments by id, the series of
# receipts.


_client = row_locks.Lock(lambda: Client.objects.filter(pk=Given("id")))
_booking = row_locks.Lock(lambda: Booking.objects.filter(pk=Given("id")).order_by())


def lock_client(client_id: int) -> Client:
    """The client, locked until commit. Refuses: booking_unknown, when they were erased a moment ago."""
    client: Client = row_locks.take(locking_client(client_id))[0]
    return client


def locking_client(client_id: int) -> Locking[Client]:
    """The same, to be taken with others."""
    return _client.of(id=client_id).then(_known)


def _known(found: list[M]) -> M:
    if not found:
        raise Refused(Code.BOOKING_UNKNOWN)
    return found[0]


_expected: ContextVar[tuple[int, int] | None] = ContextVar("expected", default=None)


@contextmanager
def expecting(booking_id: int, sequence: int) -> Iterator[None]:
    """Within, this booking is locked only as its ledger's last row left it: whoever asks has seen no later one."""
    before = _expected.set((booking_id, sequence))
    try:
        yield
    finally:
        _expected.reset(before)


def lock_booking(booking_id: int) -> Booking:
    """The booking, locked until commit. Refuses: booking_unknown; within `expecting` changed_since."""
    booking: Booking = row_locks.take(locking_booking(booking_id))[0]
    return booking


def locking_booking(booking_id: int) -> Locking[Booking]:
    """The same, to be taken with others."""
    return _booking.of(id=booking_id).then(_known).then(_as_expected)


def _as_expected(booking: Booking) -> Booking:
    expected = _expected.get()
    if expected is not None and expected != (booking.pk, booking.ledger_sequence) and expected[0] == booking.pk:
        raise Refused(Code.CHANGED_SINCE)
    return booking


def run_transition(
    booking: Booking,
    change: Callable[[], None],
    *,
    intent: Intent,
    actor: str,
    now: datetime,
    saving: Iterable[str] = (),
    details: Details | None = None,
    undo_until: datetime | None = None,
) -> int:
    """Run one guarded transition, save what it changed, write its ledger row; return the row's sequence.

    Leaving the states that hold a slot gives the slot back; closing sets the expiry of the booking's links; a confirmed
    session has its room. Until
    `undo_until` the step can be undone, and what is then owed for it waits. Refuses: state_refuses.
    """
    source = State(booking.state)
    if undo_until is not None and isinstance(details, Undoable):
        details = replace(
            details,
            due_was=booking.due_at,
            asked_was=booking.cancellation_requested_at,
            choice_was=booking.choose_by,
        )
    try:
        change()
    except TransitionNotAllowed as error:
        raise Refused(Code.STATE_REFUSES, state=source) from error
    _end_undo_window(booking, now=now)
    booking.undo_until = undo_until
    booking.ledger_sequence += 1
    with batched_writes.batch():
        if source in HOLDS_SLOT and booking.state not in HOLDS_SLOT:
            claims.release_claim(booking)
        if booking.state in FINAL:
            booking.next_ask_at = booking.cancellation_requested_at = booking.choose_by = None
            links.close(booking, now=now)
        save(booking, {*MACHINES_FIELDS, *saving})
        write_ledger(booking, intent=intent, source=source, actor=actor, now=now, details=details)
        rooms.follow(booking, source, now=now)
    return booking.ledger_sequence


def record_event(
    booking: Booking,
    *,
    intent: Intent,
    actor: str,
    now: datetime,
    saving: Iterable[str] = (),
    details: Details | None = None,
) -> int:
    """Record what happened without a transition: save what changed, write its ledger row, return its sequence."""
    _end_undo_window(booking, now=now)
    booking.ledger_sequence += 1
    with batched_writes.batch():
        save(booking, {"ledger_sequence", "undo_until", *saving})
        write_ledger(booking, intent=intent, source=booking.state, actor=actor, now=now, details=details)
    return booking.ledger_sequence


def _end_undo_window(booking: Booking, *, now: datetime) -> None:
    """Whatever happens next, the decision before it can no longer be undone: what waited for that leaves now."""
    if booking.undo_until is not None and booking.undo_until > now:
        holds.release(booking.pk, held_until=booking.undo_until, now=now)
    booking.undo_until = None


def write_ledger(
    booking: Booking,
    *,
    intent: Intent,
    source: State | str,
    actor: str,
    now: datetime,
    details: Details | None = None,
) -> None:
    """Append the row numbered `booking.ledger_sequence`, and owe its events to subscribers.

    Raises TypeError for details of another intent.
    """
    told = Details() if details is None else details
    if type(told) is not kind_of(intent):
        raise TypeError(f"a row of {intent} has {kind_of(intent).__name__}, not {type(told).__name__}")
    row = compiled_writes.new(
        LedgerEntry,
        booking_id=booking.pk,
        sequence=booking.ledger_sequence,
        at=now,
        intent=intent,
        source=source,
        target=booking.state,
        reason=booking.reason,
        actor=actor,
        details=told.to_json(),
        correlation_id=correlation.current(),
    )
    batched_writes.write(_append, row)
    announcements.announce(row, held_until=booking.undo_until)


def _append(rows: list[LedgerEntry]) -> list[Statement[bool]]:
    return [compiled_writes.inserting(rows)]
