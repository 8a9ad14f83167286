"""The day of an erasure: nothing of the person stays in any row, save what `kept_after_erasure.py` lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from backend.bookings import kept_answers
from backend.bookings.intents import Intent
from backend.bookings.lifecycle import redaction
from backend.bookings.lifecycle.erasure_requests import close, notify_person, put_off
from backend.bookings.lifecycle.transaction import TIMER, intent, run_transition
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, DataRequest, Link, Purpose, RequestState
from backend.bookings.notices import Notice
from backend.core import row_locks
from backend.core.errors import required
from backend.outbox import closed_mailboxes, forgetting
from backend.people import enquiries
from backend.people.models import Client

WORTH_A_MAIL = timedelta(days=1)  # by how much it is put off


@intent
def carry_out(request_id: int, /, *, now: datetime) -> None:
    """WAITING → DONE on its day, or put off once more; ASKED → LAPSED when nobody proved it."""
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
    address, addresses = client.email, _addresses(client, bookings)
    for booking in bookings:
        _end_draft(booking, now=now)
        redaction.empty(booking, now=now)
    kept_answers.forget([booking.acknowledgement_id for booking in bookings])
    theirs = addresses - _of_others(client, addresses)
    _forget_letters([*(booking.pk for booking in bookings), *_purged_before(theirs)], addresses, now=now)
    forgetting.forget_about_none(theirs, now=now)
    closed_mailboxes.open_again(theirs)  # after their mails are locked: no report can close one any more
    enquiries.forget(theirs)
    close(request, RequestState.DONE, now=now)
    redaction.forget([client.pk])
    request.client = None
    notify_person(request, Notice.ERASURE_DONE, to=address, now=now)


def _addresses(client: Client, bookings: Sequence[Booking]) -> set[str]:
    """All that we knew them by, also before staff changed it, and other spellings of the same mailboxes."""
    earlier = Client.history.filter(id=client.pk).values_list("email", flat=True)
    known = {client.email, *(booking.email for booking in bookings), *earlier} - {""}
    return known | forgetting.spellings_of(known)


def _of_others(client: Client, addresses: Collection[str]) -> set[str]:
    """By which somebody else is known today: what was written to them about nothing of this person stays."""
    return set(Client.objects.filter(email__in=addresses).exclude(pk=client.pk).values_list("email", flat=True))


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
    told = forgetting.bookings_told(addresses)
    return list(Booking.objects.filter(pk__in=told, client=None).values_list("pk", flat=True))


def _forget_letters(booking_ids: Collection[int], addresses: Collection[str], *, now: datetime) -> None:
    """Mails and their links, but for the link by which the person asks what became of the wish."""
    forgetting.forget_about(booking_ids, addresses, now=now)
    Link.objects.filter(booking__in=booking_ids).exclude(purpose=Purpose.ERASURE).delete()
