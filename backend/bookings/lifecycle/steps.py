"""What every intent is made of: the transaction with its retry, the locks in their order, the step, the notice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import OperationalError, transaction
from django_fsm import TransitionNotAllowed

from backend import correlation
from backend.bookings import links, policy, slots
from backend.bookings.machine import FINAL, HOLDS_SLOT, Notice, Reason, State
from backend.bookings.machine import TIMER as TIMER
from backend.bookings.machine import VISITOR as VISITOR
from backend.bookings.models import Booking, LedgerEntry
from backend.errors import Code, Refused
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from backend.people.models import Client, Psychologist

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 4  # the first and up to three more, after a deadlock or a serialization failure
_CONFLICTS = {"40001", "40P01"}  # serialization_failure, deadlock_detected: PostgreSQL manual, appendix A

MACHINES_FIELDS = (
    "state",
    "reason",
    "due_at",
    "closed_at",
    "next_ask_at",
    "cancellation_requested_at",
    "ledger_sequence",
)
STRANGERS_NOTICES = (Notice.DRAFT_SUBMITTED, Notice.ALREADY_BOOKED, Notice.LINK_REQUESTED, Notice.NOTHING_OPEN)


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


# Locks, always in this order: client, psychologists by id, bookings by id, the sponsor, payments by id.


def lock_client(client_id: int) -> Client:
    """The client, locked until commit."""
    return Client.objects.select_for_update().get(pk=client_id)


def lock_booking(booking_id: int) -> Booking:
    """The booking, locked until commit. Refuses: booking_unknown."""
    booking: Booking | None = Booking.objects.select_for_update().filter(pk=booking_id).first()
    if booking is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    return booking


def step(
    booking: Booking,
    change: Callable[[], None],
    *,
    intent: str,
    actor: str,
    now: datetime,
    saving: Iterable[str] = (),
    details: Mapping[str, object] | None = None,
) -> int:
    """Run one guarded transition, save what it changed, write its ledger row; return the row's sequence.

    Leaving the states that hold a slot gives the slot back; closing sets the expiry of the booking's links.
    Refuses: state_refuses.
    """
    source = State(booking.state)
    try:
        change()
    except TransitionNotAllowed as error:
        raise Refused(Code.STATE_REFUSES, state=source) from error
    if source in HOLDS_SLOT and booking.state not in HOLDS_SLOT:
        slots.release(booking)
    if booking.state in FINAL:
        booking.next_ask_at = booking.cancellation_requested_at = None
        links.close(booking, now=now)
    booking.ledger_sequence += 1
    booking.save(update_fields={*MACHINES_FIELDS, *saving})
    write_ledger(booking, intent=intent, source=source, actor=actor, now=now, details=details)
    return booking.ledger_sequence


def note(
    booking: Booking,
    *,
    intent: str,
    actor: str,
    now: datetime,
    saving: Iterable[str] = (),
    details: Mapping[str, object] | None = None,
) -> int:
    """Record what happened without a transition: save what changed, write its ledger row, return its sequence."""
    booking.ledger_sequence += 1
    booking.save(update_fields={"ledger_sequence", *saving})
    write_ledger(booking, intent=intent, source=booking.state, actor=actor, now=now, details=details)
    return booking.ledger_sequence


def write_ledger(
    booking: Booking,
    *,
    intent: str,
    source: State | str,
    actor: str,
    now: datetime,
    details: Mapping[str, object] | None,
) -> None:
    """Append the row numbered `booking.ledger_sequence`."""
    LedgerEntry.objects.create(
        booking=booking,
        sequence=booking.ledger_sequence,
        at=now,
        intent=intent,
        source=source,
        target=booking.state,
        reason=booking.reason,
        actor=actor,
        details=dict(details or {}),
        correlation_id=correlation.current(),
    )


def tell_visitor(
    booking: Booking,
    notice: Notice,
    *,
    now: datetime,
    not_before: datetime | None = None,
    once_per: str = "",
) -> bool:
    """Owe the visitor a notice about what the ledger's last row says. False: over the limit, so only recorded.

    `once_per` replaces the ledger's sequence in the dedupe key, for notices that no transition causes.
    """
    suppressed = (notice in STRANGERS_NOTICES and not _within_limits(booking.email, now)) or (
        notice == Notice.CANCELLATION_REQUESTED and _asked_too_often(booking, now)
    )
    message_uuid = messages.emit(
        queue=Queue.MAIL,
        kind=notice,
        dedupe_key=f"booking:{booking.pk}:{notice}:{once_per or booking.ledger_sequence}",
        now=now,
        not_before=not_before,
        recipient=booking.email,
        booking_id=booking.pk,
        ledger_sequence=booking.ledger_sequence,
        suppressed=suppressed,
    )
    for purpose in links.CARRIED_BY.get(notice, ()) if not suppressed else ():
        links.issue(booking, purpose, message_uuid, now=now)
    return not suppressed


def tell_address(address: str, notice: Notice, *, now: datetime, once_per: str) -> None:
    """Owe a notice to an address that has no booking, within the limits."""
    messages.emit(
        queue=Queue.MAIL,
        kind=notice,
        dedupe_key=f"address:{notice}:{once_per}",
        now=now,
        recipient=address,
        suppressed=not _within_limits(address, now),
    )


def tell_staff(
    booking: Booking, notice: Notice, *, now: datetime, not_before: datetime | None = None, to: str = ""
) -> None:
    """Owe the practice's inbox, or `to`, a notice; it names the booking's id and no person."""
    messages.emit(
        queue=Queue.MAIL,
        kind=notice,
        dedupe_key=f"booking:{booking.pk}:{notice}:{booking.ledger_sequence}",
        now=now,
        not_before=not_before,
        recipient=to or settings.STAFF_INBOX,
        booking_id=booking.pk,
        ledger_sequence=booking.ledger_sequence,
    )


def tell_psychologist(booking: Booking, notice: Notice, *, now: datetime, who: Psychologist | None = None) -> None:
    """Owe the psychologist of the booking, or `who` had it before, a notice."""
    psychologist = who or booking.psychologist
    assert psychologist is not None
    tell_staff(booking, notice, now=now, to=psychologist.email)


def announce_confirmed(booking: Booking, *, now: datetime, notice: Notice = Notice.BOOKING_CONFIRMED) -> None:
    """The confirmation to both sides, and the session's reminders."""
    tell_visitor(booking, notice, now=now)
    tell_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, now=now)
    owe_reminders(booking, now=now)


def owe_reminders(booking: Booking, *, now: datetime) -> None:
    """The session's reminders, as far as their time is still ahead."""
    assert booking.slot_start is not None
    for notice, before in (
        (Notice.SESSION_APPROACHING, policy.REMIND_FIRST),
        (Notice.SESSION_IMMINENT, policy.REMIND_LAST),
    ):
        if booking.slot_start - before > now:
            tell_visitor(booking, notice, now=now, not_before=booking.slot_start - before)


def end_in_time_or_not(booking: Booking, *, reason: Reason, intent: str, actor: str, now: datetime) -> None:
    """PAYMENT_PENDING → APPROVED while `pay_by` and its grace are ahead, else PAYMENT_FAILED."""
    assert booking.pay_by is not None
    assert booking.slot_start is not None
    deadline = policy.payment_deadline(booking.pay_by, booking.slot_start)
    booking.next_ask_at = None
    if now < deadline:
        step(
            booking,
            lambda: booking.end_attempt(due_at=deadline, reason=reason),
            intent=intent,
            actor=actor,
            now=now,
        )
        tell_visitor(booking, Notice.PAYMENT_ATTEMPT_FAILED, now=now)
        return
    step(
        booking,
        lambda: booking.fail_payment(reason=Reason.PAYMENT_TIMED_OUT, now=now),
        intent=intent,
        actor=actor,
        now=now,
    )
    tell_visitor(booking, Notice.PAYMENT_TIMED_OUT, now=now)


def _asked_too_often(booking: Booking, now: datetime) -> bool:
    """The booking's lock is held, so that two askers at once are counted one after the other."""
    sent = Message.objects.filter(
        booking_id=booking.pk, kind=Notice.CANCELLATION_REQUESTED, created_at__gt=now - timedelta(hours=1)
    ).exclude(state=MessageState.SUPPRESSED)
    return sent.count() >= policy.CANCEL_LINKS_PER_HOUR


def _within_limits(address: str, now: datetime) -> bool:
    return messages.stranger_may_cause(
        STRANGERS_NOTICES,
        address,
        now=now,
        hourly=policy.STRANGER_MAILS_PER_HOUR,
        daily=policy.STRANGER_MAILS_PER_DAY,
    )
