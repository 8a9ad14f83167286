"""What a visitor intends: submit a draft, prove the address, ask for the link again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Case, IntegerField, Q, When

from backend.bookings import links, policy, sponsors
from backend.bookings.guarantees import client_id_of, deadline
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import EmailVerified, RequestedAgain
from backend.bookings.lifecycle import reminder_choice
from backend.bookings.lifecycle.creation import (
    Asker,
    Draft,
    active_booking,
    asking_active,
    build_draft,
    build_pending,
    check_draft,
    fill_client,
    insert,
    is_repeat,
    keep_consents,
    lock_asker,
    notify_request_received,
    stored_with,
)
from backend.bookings.lifecycle.notify import notify_address, notify_visitor
from backend.bookings.lifecycle.transaction import (
    VISITOR,
    intent,
    lock_client,
    locking_client,
    run_transition,
    write_ledger,
)
from backend.bookings.machine import ACTIVE, Reason, State
from backend.bookings.models import Booking, ClosedDay, Link, Origin, Purpose
from backend.bookings.notices import Notice
from backend.core import batched_writes, row_locks
from backend.core.compiled_queries import Given
from backend.core.errors import Code, Refused
from backend.core.formatting import practice_zone
from backend.people.models import Client

NOBODY = 0  # the id of no client


@intent
def submit_draft(draft: Draft, *, now: datetime) -> None:
    """∅ → DRAFT. Says nothing to the asker about the address: the answer is in the mail.

    Refuses: date_past, age_refused, wish_unknown, wish_past; not a wish for what is taken: no request is lost by it.
    """
    check_draft(draft, now=now)
    asker = lock_asker(draft.email, now=now)
    known = asker.booking
    if known is not None and known.state != State.DRAFT:
        _record_and_forget(asker, draft, now=now)
        once_per, may_be_mailed = uuid4().hex, asker.may_be_mailed
        with batched_writes.batch():
            notify_visitor(known, Notice.ALREADY_BOOKED, now=now, once_per=once_per, is_within_limits=may_be_mailed)
    elif known is None or not is_repeat(known, draft, now=now):
        _record(asker, draft, now=now)


def _record(asker: Asker, draft: Draft, *, now: datetime) -> None:
    booking = build_draft(asker.client, draft, now=now)
    booking.pk = asker.next_id
    with stored_with(booking):
        write_ledger(booking, intent=Intent.SUBMIT_DRAFT, source="", actor=VISITOR, now=now)
        if notify_visitor(booking, Notice.DRAFT_SUBMITTED, now=now, is_within_limits=asker.may_be_mailed):
            notify_visitor(booking, Notice.DRAFT_STILL_UNVERIFIED, now=now, not_before=policy.draft_reminder(now))


def _record_and_forget(asker: Asker, draft: Draft, *, now: datetime) -> None:
    """The same work as for any address, undone: how long we take must not tell that a booking exists."""
    savepoint = transaction.savepoint()
    _record(asker, draft, now=now)
    transaction.savepoint_rollback(savepoint)


def verify_email(token: str, *, now: datetime) -> Booking:
    """DRAFT → PENDING on first use; afterwards reads. Returns the booking as it is.

    Refuses: link_unknown, link_expired, draft_lapsed, draft_superseded, already_active.
    """
    link = links.find(token, Purpose.BOOKING)
    if link.booking.state == State.DRAFT:
        proved = _verify(link, now=now)
        if proved is not None:
            return proved
        link = links.find(token, Purpose.BOOKING)
    return links.readable(link, now=now)


_drafts_of = row_locks.Lock(lambda: Booking.objects.filter(client=Given("client"), state=State.DRAFT).order_by("pk"))


@intent
def _verify(link: Link, *, now: datetime) -> Booking | None:
    """DRAFT → PENDING, its siblings → CANCELLED `superseded`. None: somebody was faster, and what became of it is to be
    read. Refuses: draft_lapsed, already_active."""
    client_id = client_id_of(link.booking)
    client, drafts, active, day_at = row_locks.take(
        locking_client(client_id),
        _drafts_of.of(client=client_id),
        asking_active(client_id),
        ClosedDay.asking_calendar(),
    )
    booking: Booking | None = next((draft for draft in drafts if draft.pk == link.booking_id), None)
    if booking is None:
        return None
    if deadline(booking) <= now:
        raise Refused(Code.DRAFT_LAPSED)
    if active is not None:
        raise Refused(Code.ALREADY_ACTIVE)
    booking.verified_at = now
    booking.corporate = sponsors.find_sponsor(booking)
    due_at = policy.open_time_after(now, policy.ANSWER_WITHIN, day_at)
    fill_client(client, booking)
    reminder_choice.keep_choice(booking, now=now)
    with batched_writes.batch():
        run_transition(
            booking,
            lambda: booking.verify(due_at=due_at),
            intent=Intent.VERIFY_EMAIL,
            actor=VISITOR,
            now=now,
            saving=["verified_at", "corporate"],
            details=EmailVerified(corporate=booking.corporate_id),
        )
        links.keep_open(booking)
        for sibling in drafts:
            if sibling.pk != booking.pk:
                _supersede(sibling, now=now)
        notify_request_received(booking, day_at, now=now)
    return booking


@intent
def request_again(token: str, *, now: datetime) -> Booking:
    """∅ → PENDING: the same request once more, to the top of the list, after we left it unanswered. Spends the link.

    A link that was used shows what came of it. Refuses: link_unknown, link_expired, already_active.
    """
    link = links.find(token, Purpose.AGAIN)
    client = lock_client(client_id_of(link.booking))
    if not links.spend(link, now=now):
        return _after_used(link)
    if active_booking(client) is not None:
        raise Refused(Code.ALREADY_ACTIVE)
    old = link.booking
    draft = Draft.of(old)
    today = now.astimezone(practice_zone()).date()
    is_ahead = draft.preferred_slot_start is not None and draft.preferred_slot_start > now
    draft = replace(
        draft,
        preferred_date=max(draft.preferred_date, today),
        preferred_slot_start=draft.preferred_slot_start if is_ahead else None,
    )
    day_at = ClosedDay.calendar()
    booking = build_pending(client, draft, day_at, origin=Origin.VISITOR, now=now)
    keep_consents(booking, old)
    booking.is_priority = True
    insert(booking)
    details = RequestedAgain(instead_of=old.pk)
    write_ledger(booking, intent=Intent.REQUEST_AGAIN, source="", actor=VISITOR, now=now, details=details)
    notify_request_received(booking, day_at, now=now)
    return booking


def _after_used(link: Link) -> Booking:
    """The booking that a used link led to. Refuses: link_expired, when it was never used."""
    link = Link.objects.select_related("booking").get(pk=link.pk)
    made = links.made_again(link)
    if link.spent_at is None or made is None:
        raise Refused(Code.LINK_EXPIRED)
    return made


@intent
def request_link(address: str, *, now: datetime) -> None:
    """No transition: mails the booking link, a fresh verification, or "nothing open", which may lead to *Your data*.
    The asker learns nothing.

    Not from the time it takes either: the same work is done for every address.
    """
    client_id = Client.at(address).select_for_update().values_list("pk", flat=True).first()
    booking = _latest_proved(client_id or NOBODY, now=now)
    if booking is None or _was_long_ago(booking, now=now):
        notify_address(address, Notice.NOTHING_OPEN, now=now, once_per=uuid4().hex, known_by=booking)
    elif booking.state == State.DRAFT:
        notify_visitor(booking, Notice.DRAFT_SUBMITTED, now=now, once_per=uuid4().hex)
    else:
        notify_visitor(booking, Notice.LINK_REQUESTED, now=now, once_per=uuid4().hex)


def _latest_proved(client_id: int, *, now: datetime) -> Booking | None:
    """The active booking, else the live draft, else the newest that may still be read, else the newest. One query."""
    is_active = Q(state__in=ACTIVE)
    is_live_draft = Q(state=State.DRAFT, due_at__gt=now)
    is_closed = Q(verified_at__isnull=False, closed_at__isnull=False)
    is_kept = Q(closed_at__gt=now - policy.LINK_KEPT_AFTER_CLOSE)
    turns = [When(rows, then=turn) for turn, rows in enumerate((is_active, is_live_draft, is_kept))]
    turn = Case(*turns, default=len(turns), output_field=IntegerField())
    found = Booking.objects.filter(is_active | is_live_draft | is_closed, client_id=client_id)
    return found.defer("user_message").order_by(turn, "-pk").first()


def _was_long_ago(booking: Booking, *, now: datetime) -> bool:
    """Its link cannot be read any more."""
    return booking.closed_at is not None and booking.closed_at <= now - policy.LINK_KEPT_AFTER_CLOSE


def _supersede(draft: Booking, *, now: datetime) -> None:
    run_transition(
        draft,
        lambda: draft.lapse(reason=Reason.SUPERSEDED, now=now),
        intent=Intent.SUPERSEDE,
        actor=VISITOR,
        now=now,
    )
