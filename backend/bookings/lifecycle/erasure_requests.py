"""What a person does about being erased: asks on *Your data*, proves it by mail, and may stop it until its day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.audit import own_data
from backend.bookings import links, policy
from backend.bookings.guarantees import held_session
from backend.bookings.lifecycle.transaction import intent
from backend.bookings.machine import State
from backend.bookings.models import Booking, DataRequest, Outcome, Purpose, RequestKind, RequestState, WaitsFor
from backend.bookings.notices import Notice, links_carried
from backend.bookings.payment_status import OWED_HERE, is_refund_open, payment_status
from backend.bookings.request_models import OPEN
from backend.core import row_locks
from backend.core.errors import Code, Refused, required
from backend.outbox import messages
from backend.outbox.models import Message, Queue
from backend.people.models import Client


@intent
def ask_erasure(token: str, *, now: datetime) -> DataRequest:
    """Mails the link that proves the wish; who has asked gets no second. Refuses: link_unknown, link_expired."""
    booking, person = own_data.proved_by(token, now=now)
    client = lock_person(person.pk)
    found = DataRequest.objects.filter(client=client, state__in=[state.value for state in OPEN]).first()
    if found is not None:
        return found
    request = DataRequest.objects.create(
        kind=RequestKind.ERASURE,
        state=RequestState.ASKED,
        booking=booking,
        client=client,
        asked_at=now,
        deadline=now + policy.DATA_REQUEST_WITHIN,
        due_at=now + policy.DATA_LINK_LIFETIME,
    )
    notify_person(request, Notice.ERASURE_REQUESTED, to=client.email, now=now)
    return request


@intent
def record_erasure(client_id: int, *, actor: str, now: datetime) -> DataRequest:
    """∅ or ASKED → WAITING, for somebody who told staff; who has an address is mailed the day, and how to stop it.

    Refuses: booking_unknown, of a client without any.
    """
    client = lock_person(client_id)
    booking = Booking.objects.filter(client=client).order_by("-pk").first()
    if booking is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    request = DataRequest.objects.filter(client=client, state__in=[state.value for state in OPEN]).first()
    if request is None:
        request = DataRequest(
            kind=RequestKind.ERASURE,
            booking=booking,
            client=client,
            asked_by=actor,
            asked_at=now,
            deadline=now + policy.DATA_REQUEST_WITHIN,
        )
    if request.state != RequestState.WAITING:
        _begin(request, client, now=now)
    return request


@intent
def prove_erasure(token: str, *, now: datetime) -> DataRequest:
    """ASKED → WAITING, for the days in which it can be stopped, and as long as something is open. Twice is once.

    Refuses: link_unknown, link_expired.
    """
    request = _locked(token)
    if request.state == RequestState.ASKED and request.client is not None:
        if required(request.due_at, "due_at", request) <= now:
            raise Refused(Code.LINK_EXPIRED)
        _begin(request, request.client, now=now)
    return request


@intent
def stop_erasure(token: str, *, now: datetime) -> DataRequest:
    """Everything stays, and a mail says so. What was done before is shown as it is. Refuses: link_unknown."""
    request = _locked(token)
    if request.state in OPEN:
        _stop(request, now=now)
    return request


@intent
def stop_recorded(client_id: int, *, now: datetime) -> None:
    """The same, for somebody who told staff."""
    client = lock_person(client_id)
    for request in DataRequest.objects.filter(client=client, state__in=[state.value for state in OPEN]):
        _stop(request, now=now)


def _stop(request: DataRequest, *, now: datetime) -> None:
    """Who had proved the wish is told, for else they would wait for the day."""
    was_proved = request.state == RequestState.WAITING
    close(request, RequestState.STOPPED, now=now)
    if was_proved and request.client is not None:
        notify_person(request, Notice.ERASURE_STOPPED, to=request.client.email, now=now)


def erasure_of(token: str) -> DataRequest:
    """What a link of this kind speaks of. Refuses: link_unknown."""
    link = links.find(token, Purpose.ERASURE)
    named = Message.objects.filter(uuid=link.message_uuid).values("subject_id")
    request = DataRequest.objects.filter(pk__in=named, booking=link.booking_id).select_related("client").first()
    if request is None:
        raise Refused(Code.LINK_UNKNOWN)
    return request


def lock_person(client_id: int) -> Client:
    """Until commit. Refuses: link_unknown, when they were erased a moment ago."""
    found = row_locks.lock(Client.objects.filter(pk=client_id))
    if not found:
        raise Refused(Code.LINK_UNKNOWN)
    return found[0]


def put_off(request: DataRequest, bookings: Sequence[Booking], *, now: datetime) -> bool:
    """Set why it waits and until when at least, where something of theirs is open. False: nothing is."""
    ends = [booking.due_at or now for booking in bookings if booking.is_open(now)]
    if ends:
        request.waits_for, until = WaitsFor.BOOKING, max(*ends, now) + policy.ERASURE_LOOKS_AGAIN
    elif any(is_refund_open(booking) for booking in bookings):
        request.waits_for, until = WaitsFor.REFUND, now + policy.REFUND_ASKED_FOR
    elif (unpaid := _unpaid_until(bookings)) and unpaid > max(now, required(request.due_at, "due_at", request)):
        request.waits_for, until = WaitsFor.PAYMENT, unpaid
    else:
        request.waits_for = ""
        return False
    request.due_at = max(required(request.due_at, "due_at", request), until)
    return True


def _unpaid_until(bookings: Sequence[Booking]) -> datetime | None:
    """How long money that is owed at the practice for a session that took place holds an erasure up."""
    ends = [
        held_session(booking).end + policy.UNPAID_HOLDS_ERASURE
        for booking in bookings
        if booking.state == State.COMPLETED
        and booking.outcome != Outcome.PRACTICE_ABSENT
        and payment_status(booking) in OWED_HERE
    ]
    return max(ends, default=None)


def _begin(request: DataRequest, client: Client, *, now: datetime) -> None:
    request.state, request.due_at = RequestState.WAITING, now + policy.ERASURE_AFTER
    put_off(request, list(Booking.objects.filter(client=client)), now=now)
    request.save()
    notify_person(request, Notice.ERASURE_PLANNED, to=client.email, now=now)


def close(request: DataRequest, state: RequestState, *, now: datetime) -> None:
    """It is over, in this way."""
    request.state, request.due_at, request.waits_for, request.closed_at = state, None, "", now
    request.save(update_fields=["state", "due_at", "waits_for", "closed_at"])


def notify_person(request: DataRequest, notice: Notice, *, to: str, now: datetime) -> None:
    """Owe a mail that speaks of the request, and of no booking; one for each day that it is set to.

    Who has no address told staff, and is told by them.
    """
    if not to:
        return
    day = f"{request.due_at:%Y-%m-%d}" if request.due_at is not None else ""
    message_uuid = messages.emit(
        queue=Queue.MAIL,
        kind=notice,
        dedupe_key=f"request:{request.pk}:{notice}:{day}",
        now=now,
        recipient=to,
        subject_id=request.pk,
    )
    links.issue(request.booking, *links_carried(notice, ""), message_uuid=message_uuid, now=now)


def _locked(token: str) -> DataRequest:
    """With its client's lock, which comes first. Refuses: link_unknown."""
    found = erasure_of(token)
    if found.client_id is not None:
        lock_person(found.client_id)
    return DataRequest.objects.select_for_update(of=("self",)).select_related("client", "booking").get(pk=found.pk)
