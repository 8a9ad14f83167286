"""What time does: each step checks state and deadline again under the lock, so a late or doubled sweep is harmless.

The deadline of PAYMENT_PENDING is `attempts.ask_after_attempt`, because the gateway is asked first.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from backend.bookings import queries
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Details
from backend.bookings.lifecycle import redaction
from backend.bookings.lifecycle.notify import notify_visitor
from backend.bookings.lifecycle.refunds import give_back_parts, notify_refunds
from backend.bookings.lifecycle.sweeping import timed
from backend.bookings.lifecycle.transaction import TIMER, run_transition
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.bookings.retention import RULES, Kind
from backend.core import batched_writes, row_locks
from backend.core.errors import Code, Refused
from backend.people.models import Client


@timed(due=lambda now: queries.due(State.DRAFT, now=now).prefetch_related("links"))
def lapse_draft(booking: Booking, *, now: datetime) -> bool:
    """DRAFT → CANCELLED `email_not_verified`. A draft whose own mail the limits suppressed gets no mail now either."""
    if not _is_due(booking, State.DRAFT, now):
        return False
    run_transition(
        booking,
        lambda: booking.lapse(reason=Reason.EMAIL_NOT_VERIFIED, now=now),
        intent=Intent.LAPSE_DRAFT,
        actor=TIMER,
        now=now,
    )
    if booking.links.all().exists():
        notify_visitor(booking, Notice.DRAFT_LAPSED, now=now)
    return True


@timed(due=lambda now: queries.due(State.PENDING, now=now))
def close_unanswered(booking: Booking, *, now: datetime) -> bool:
    """PENDING → CANCELLED `unanswered`, with an apology and a link to ask again by one click."""
    if not _is_due(booking, State.PENDING, now):
        return False
    _cancel(booking, Reason.UNANSWERED, intent=Intent.UNANSWERED, now=now)
    notify_visitor(booking, Notice.BOOKING_UNANSWERED, now=now)
    return True


@timed(due=lambda now: queries.due(State.APPROVED, now=now).prefetch_related("payments__refunds"))
def time_out_approval(booking: Booking, *, now: datetime) -> bool:
    """APPROVED → CANCELLED `payment_timed_out`; the slot is free again, and parts that were paid go back."""
    if not _is_due(booking, State.APPROVED, now):
        return False
    refunds, details = give_back_parts(booking, now=now)
    _cancel(booking, Reason.PAYMENT_TIMED_OUT, intent=Intent.PAYMENT_TIMED_OUT, now=now, details=details)
    notify_visitor(booking, Notice.PAYMENT_TIMED_OUT, now=now)
    notify_refunds(booking, refunds, now=now)
    return True


@timed(due=lambda now: queries.due(State.CONFIRMED, now=now))
def complete_session(booking: Booking, *, now: datetime) -> bool:
    """CONFIRMED → COMPLETED, some time after the session's end."""
    if not _is_due(booking, State.CONFIRMED, now):
        return False
    run_transition(booking, lambda: booking.complete(now=now), intent=Intent.COMPLETE_SESSION, actor=TIMER, now=now)
    return True


def _with_wish(rows: QuerySet[Booking]) -> QuerySet[Booking]:
    """Whose client waits to be erased, which is to be known under the client's lock."""
    return rows.annotate(has_wish=Exists(queries.open_data_requests().filter(client=OuterRef("client")))).order_by("pk")


def _lock_after_client(booking_id: int) -> Booking:
    """Refuses: booking_unknown."""
    client = Booking.objects.filter(pk=booking_id).values("client")
    row_locks.lock(Client.objects.filter(pk__in=client))
    if not (found := row_locks.lock(_with_wish(Booking.objects.filter(pk=booking_id)))):
        raise Refused(Code.BOOKING_UNKNOWN)
    return found[0]


def _drafts_with_client(now: datetime) -> QuerySet[Booking]:
    """Joined to their clients, whom each has until its data is gone."""
    due = queries.drafts_to_purge(now=now)
    return due.filter(client__stable_id__isnull=False).select_related("client")  # else no inner join, nor a lock on it


def _take_after_clients(due: QuerySet[Booking]) -> list[Booking]:
    """The clients are looked for and locked at once, so that two who do so find different ones."""
    with_client = due.select_for_update(of=("client",), skip_locked=True)
    return row_locks.lock_free(_with_wish(Booking.objects.filter(pk__in=[booking.pk for booking in with_client])))


@timed(due=_drafts_with_client, lock=_lock_after_client, take=_take_after_clients)
def purge_draft(booking: Booking, *, now: datetime) -> bool:
    """No transition: an unproved draft loses its personal data, and its client goes if nothing else is theirs.

    Whoever waits to be erased goes whole on that day, and is told: the mails about them would be left, and nobody
    would know whose they are.
    """
    is_stale = booking.closed_at is not None and booking.closed_at <= now - RULES[Kind.DRAFTS].kept
    if (
        booking.state != State.CANCELLED
        or booking.verified_at
        or booking.purged_at
        or not is_stale
        or vars(booking)["has_wish"]
    ):
        return False
    client_id = booking.client_id
    redaction.empty(booking, now=now)
    if client_id is not None:
        batched_writes.do(_forget_without_booking, client_id)
    return True


def _forget_without_booking(client_ids: list[int]) -> None:
    known = Booking.objects.filter(client__in=client_ids).order_by().values_list("client_id", flat=True)
    redaction.forget(set(client_ids).difference(known))


def _is_due(booking: Booking, state: State, now: datetime) -> bool:
    """A choice that is open ends first (`choices.lapse_choice`), by a deadline of its own that is never later."""
    if booking.choose_by is not None:
        return False
    return booking.state == state and booking.due_at is not None and booking.due_at <= now


def _cancel(booking: Booking, reason: Reason, *, intent: Intent, now: datetime, details: Details | None = None) -> None:
    step = lambda: booking.cancel(reason=reason, now=now)  # noqa: E731
    run_transition(booking, step, intent=intent, actor=TIMER, now=now, details=details)
