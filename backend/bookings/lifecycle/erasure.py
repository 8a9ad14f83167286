"""The day of an erasure: nothing of the person stays in any row, save what `kept_after_erasure.py` lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from backend.bookings.intents import Intent
from backend.bookings.lifecycle import redaction
from backend.bookings.lifecycle.erasure_requests import close, notify_person, put_off
from backend.bookings.lifecycle.transaction import TIMER, intent, run_transition
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, DataRequest, Link, Purpose, RequestState
from backend.bookings.notices import Notice
from backend.core import row_locks
from backend.core.errors import required
from backend.outbox import messages
from backend.people import enquiries
from backend.people.models import Client

WORTH_A_MAIL = timedelta(days=1)  # by how much it is put off


@intent
def carry_out(request_id: int, /, *, now: datetime) -> None:
    """WAITING → DONE on its day, or put off once more; ASKED → LAPSED when nobody proved it.

    Whose only draft was purged meanwhile is kept nowhere any more: that is done, too.
    """
    found = DataRequest.objects.get(pk=request_id)
    clients = row_locks.lock(Client.objects.filter(pk=found.client_id or 0))
    request = DataRequest.objects.select_for_update(of=("self",)).select_related("client", "booking").get(pk=found.pk)
    if request.due_at is None or request.due_at > now:
        return
    if request.state == RequestState.ASKED or not clients:
        is_gone = request.state == RequestState.WAITING
        close(request, RequestState.DONE if is_gone else RequestState.LAPSED, now=now)
        return
    bookings, was = row_locks.lock(Booking.objects.filter(client=clients[0]).order_by("pk")), request.due_at
    if put_off(request, bookings, now=now):
        _tell_if_much_later(request, was=was, now=now)
    else:
        _erase(clients[0], bookings, request, now=now)


def _tell_if_much_later(request: DataRequest, *, was: datetime, now: datetime) -> None:
    request.save(update_fields=["due_at", "waits_for"])
    if request.client is not None and required(request.due_at, "due_at", request) - was >= WORTH_A_MAIL:
        notify_person(request, Notice.ERASURE_PLANNED, to=request.client.email, now=now)


def _erase(client: Client, bookings: Sequence[Booking], request: DataRequest, *, now: datetime) -> None:
    address = client.email
    addresses = {address, *(booking.email for booking in bookings)} - {""}
    for booking in bookings:
        _end_draft(booking, now=now)
        redaction.empty(booking, now=now)
    _forget_letters(addresses, [*(booking.pk for booking in bookings), *_purged_before(addresses)], now=now)
    enquiries.forget(addresses)
    close(request, RequestState.DONE, now=now)
    redaction.forget(client)
    request.client = None
    notify_person(request, Notice.ERASURE_DONE, to=address, now=now)


def _end_draft(booking: Booking, *, now: datetime) -> None:
    """Whoever typed it did not prove it; it holds nothing up, else any stranger's could."""
    if booking.state == State.DRAFT:
        run_transition(
            booking,
            lambda: booking.lapse(reason=Reason.EMAIL_NOT_VERIFIED, now=now),
            intent=Intent.LAPSE_DRAFT,
            actor=TIMER,
            now=now,
        )


def _purged_before(addresses: Collection[str]) -> list[int]:
    """Drafts of theirs that nobody proved: only the mails about them know whose they were."""
    told = messages.bookings_told(addresses)
    return list(Booking.objects.filter(pk__in=told, client=None).values_list("pk", flat=True))


def _forget_letters(addresses: Collection[str], booking_ids: Collection[int], *, now: datetime) -> None:
    """Mails and their links, but for the link by which the person asks what became of the wish."""
    messages.forget(addresses, booking_ids, now=now)
    Link.objects.filter(booking__in=booking_ids).exclude(purpose=Purpose.ERASURE).delete()
