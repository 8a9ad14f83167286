"""How a booking is born: from a draft, in the state it begins with, with an id of its own, and announced.

Only a constructor may say the state that a row begins in; later it changes by transitions alone. So there is one
function for each state in which bookings begin, and nobody else constructs one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet, Subquery

from backend.bookings import policy, sponsors
from backend.bookings.guarantees import deadline
from backend.bookings.lifecycle.notify import notify_staff, notify_visitor, strangers_limit
from backend.bookings.lifecycle.saving import COUNTED
from backend.bookings.machine import ACTIVE, State
from backend.bookings.models import Booking, Origin, new_acknowledgement_id
from backend.bookings.notices import Notice
from backend.core import batched_writes, compiled_writes, disclosures, row_locks
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Refused
from backend.core.formatting import practice_zone
from backend.core.personal_data import personal_columns
from backend.core.statements import Statement, ask, rows
from backend.people.models import Client, Psychologist
from backend.people.privacy_notice import IN_FORCE
from backend.scheduling import claims


@dataclass(frozen=True)
class Draft:
    """What the site's form says, cleaned. `email` is lower-cased, and empty of a caller who gave none.

    Hours are the practice's local time.
    """

    email: str
    full_name: str
    phone_number: str
    city: str
    region: str
    country: str
    age: int | None  # a caller need not say it
    gender: str
    emergency_contact: str
    preferred_date: date
    preferred_period: str
    preferred_time_start: time | None
    preferred_time_end: time | None
    mode: str
    payment_mode: str
    user_message: str
    sponsor_code: str = ""  # in upper case
    preferred_psychologist_id: int | None = None  # a wish, as is the slot: neither is held
    preferred_slot_start: datetime | None = None
    notice_version: str = IN_FORCE.version.value  # of the privacy notice that was accepted
    notice_language: str = IN_FORCE.language
    calendar_entry: bool = True  # mails put the session into the visitor's calendar
    language: str = ""  # of its mails; empty: the practice's
    time_zone: str = ""  # where the visitor's clock is, an IANA name
    reminders_by: str = ""  # a channel, or mail; empty: as before

    @classmethod
    def of(cls, booking: Booking) -> Draft:
        """What an earlier request said."""
        with disclosures.unseen():
            return cls(**{name: getattr(booking, name) for name in cls.__dataclass_fields__})


# -- before ------------------------------------------------------------------------------------------------------------


def check_draft(draft: Draft, *, now: datetime) -> None:
    """What holds for every request, whoever types it. Refuses: date_past, age_refused, wish_unknown, wish_past."""
    if draft.preferred_date < now.astimezone(practice_zone()).date():
        raise Refused(Code.DATE_PAST)
    if draft.age is not None and draft.age < policy.MINIMUM_AGE:
        raise Refused(Code.AGE_REFUSED)
    wanted, who = draft.preferred_slot_start, draft.preferred_psychologist_id
    if wanted is not None and not now < wanted <= now + policy.SLOT_HORIZON:
        raise Refused(Code.WISH_PAST)
    if who is not None and not Psychologist.objects.filter(pk=who, is_active=True).exists():
        raise Refused(Code.WISH_UNKNOWN)


class Asker(NamedTuple):
    """Who asks for a session as a visitor, by an address."""

    client: Client  # locked until commit
    booking: Booking | None  # the one that they have going as a visitor, else their latest live draft
    may_be_mailed: bool  # a stranger may cause one more mail to that address
    next_id: int | None  # of a booking; None where the database gives it when one is stored


_client_at = row_locks.Lock(lambda: Client.at(Given("address")))


def lock_client_at(address: str, *beside: Statement[Any], now: datetime) -> tuple[Client, list[Any]]:
    """The client behind an address, made when it is new, locked until commit; anew when it was erased meanwhile.

    And what is asked beside, once the lock is there.
    """
    while True:
        made = compiled_writes.inserting([Client(email=address, created_at=now)], unless_exists=compiled_writes.ANY)
        _, found, *answers = row_locks.take(made, _client_at.of(address=address), *beside)
        if found:
            return found[0], answers


def lock_asker(address: str, *, now: datetime) -> Asker:
    """Who asks, locked as a client is."""
    mailbox, limit = strangers_limit(address, now=now)
    asked = (_open_at.statement(address=address), mailbox, limit, _next_id())
    client, (bookings, _, may_be_mailed, next_id) = lock_client_at(address, *asked, now=now)
    proved = (booking for booking in bookings if booking.state != State.DRAFT)
    return Asker(client, next(proved, next(iter(bookings), None)), may_be_mailed, next_id)


def _next_id() -> Statement[int | None]:
    is_there = connection.vendor == "postgresql"
    sql = "SELECT nextval(pg_get_serial_sequence('bookings_booking', 'id'))" if is_there else "SELECT NULL"
    return Statement(sql, None, rows).then(lambda found: found[0][0])


def client_without_address(*, now: datetime) -> Client:
    """A client of its own for this caller; another of the same name or number may be somebody else."""
    return Client.objects.create(email="", created_at=now)


_IS_ACTIVE = Q(origin=Origin.VISITOR, state__in=ACTIVE)


@compiled
def _active_of() -> QuerySet[Booking]:
    return Booking.objects.filter(_IS_ACTIVE, client=Given("client"))[:1]


ASKED_ABOUT = (  # what a request of the same address needs of them; a column that is missing costs a statement
    *Draft.__dataclass_fields__, "acknowledgement_id", "state", "created_at", "due_at", "closed_at", "undo_until",
    "purged_at", COUNTED,
)  # fmt: skip


@compiled
def _open_at() -> QuerySet[Booking]:
    """Those of `_IS_ACTIVE`, and drafts: what is open has a deadline, which is asked for in a third of the time."""
    client = Client.at(Given("address")).values("pk")
    found = Booking.objects.filter(origin=Origin.VISITOR, due_at__isnull=False, client=Subquery(client))
    return found.only(*ASKED_ABOUT)


def active_booking(client: Client) -> Booking | None:
    """The one booking that a client may have going as a visitor."""
    return ask(asking_active(client.pk))


def asking_active(client_id: int) -> Statement[Booking | None]:
    """The same, to be asked with others."""
    return _active_of.statement(client=client_id).then(lambda found: next(iter(found), None))


def is_repeat(booking: Booking, draft: Draft, *, now: datetime) -> bool:
    """Whether this booking came a moment ago from the very same request: a click, or a call, that arrived twice."""
    came_just_now = booking.created_at > now - policy.DRAFT_REPEAT_WINDOW
    return came_just_now and Draft.of(booking) == draft


# -- the birth: not stored yet -----------------------------------------------------------------------------------------


def build_draft(client: Client, draft: Draft, *, now: datetime) -> Booking:
    """In DRAFT: the address is not proved."""
    return _born(State.DRAFT, client, draft, due_at=now + policy.DRAFT_LIFETIME, now=now)


def build_pending(client: Client, draft: Draft, day_at: policy.OpenDays, *, origin: Origin, now: datetime) -> Booking:
    """In PENDING: born proved, and waits for staff, whose days are `day_at`."""
    due_at = policy.open_time_after(now, policy.ANSWER_WITHIN, day_at)
    booking = _born(State.PENDING, client, draft, due_at=due_at, now=now)
    booking.origin, booking.verified_at = origin, now
    booking.corporate = sponsors.find_sponsor(booking)
    return booking


def build_approved(client: Client, draft: Draft, slot: claims.Slot, *, amount_paise: int, now: datetime) -> Booking:
    """In APPROVED, for a session that staff settled before. Its deadline is the session's start until payment sets one.

    It belongs to the visitor, and names no sponsor.
    """
    booking = _born(State.APPROVED, client, draft, due_at=slot.start, now=now)
    booking.verified_at = now
    booking.psychologist_id, booking.slot_start, booking.slot_end = slot.psychologist_id, slot.start, slot.end
    booking.amount_paise = amount_paise
    return booking


def _born(state: State, client: Client, draft: Draft, *, due_at: datetime, now: datetime) -> Booking:
    return Booking(
        **vars(draft),
        state=state,
        client=client,
        due_at=due_at,
        consent_given_at=now,
        created_at=now,
        ledger_sequence=1,
    )


def keep_consents(booking: Booking, earlier: Booking) -> None:
    """The consents are those given for the earlier booking, which this one continues."""
    booking.consent_given_at = earlier.consent_given_at
    booking.consent_withdrawn_at = earlier.consent_withdrawn_at
    booking.guardian_consent_at, booking.guardian_consent_by = earlier.guardian_consent_at, earlier.guardian_consent_by
    booking.guardian_proof = earlier.guardian_proof
    with disclosures.unseen():
        booking.guardian_name = earlier.guardian_name


# -- after -------------------------------------------------------------------------------------------------------------


def insert(booking: Booking) -> None:
    """Store a new booking; a collision of its acknowledgement id, one in 10^9 per row, draws again."""
    while not compiled_writes.insert([booking], unless_exists="acknowledgement_id"):
        booking.acknowledgement_id = new_acknowledgement_id()


@contextmanager
def stored_with(booking: Booking) -> Iterator[None]:
    """The block writes what goes with a new booking; all is sent together, if its id is known before.

    It is no part of a batch, as the booking is stored once it is over.
    """
    if booking.pk is None:
        insert(booking)
    with batched_writes.batch():
        if booking._state.adding:
            batched_writes.write(_insert, booking)
        yield
    if booking._state.adding:  # its acknowledgement id is another's
        booking.acknowledgement_id = new_acknowledgement_id()
        insert(booking)


def _insert(new: list[Booking]) -> list[Statement[bool]]:
    return [compiled_writes.inserting(new, unless_exists="acknowledgement_id")]


def fill_client(client: Client, booking: Booking) -> None:
    """What the visitor typed fills only what we did not know."""
    typed = set(personal_columns(Booking))
    with disclosures.unseen():
        empty = [
            name
            for name in personal_columns(Client)
            if name in typed and not getattr(client, name) and getattr(booking, name)
        ]
        for name in empty:
            setattr(client, name, getattr(booking, name))
        if empty:
            client.save(update_fields=empty)


def notify_request_received(booking: Booking, day_at: policy.OpenDays, *, now: datetime) -> None:
    """Tell the visitor and staff of a request, and owe the warnings of its deadline.

    Staff hear at once and after STAFF_REMINDED_AFTER of open time, managers after MANAGER_TOLD_AFTER; then the visitor
    reads that we are late, and that this is no refusal.
    """
    with batched_writes.batch():
        notify_visitor(booking, Notice.BOOKING_RECEIVED, now=now)
        notify_staff(booking, Notice.STAFF_BOOKING_RECEIVED, now=now)
        waiting_from = policy.open_time_after(now, policy.STAFF_REMINDED_AFTER, day_at)
        overdue_from = policy.open_time_after(now, policy.MANAGER_TOLD_AFTER, day_at)
        notify_staff(booking, Notice.STAFF_BOOKING_WAITING, now=now, not_before=waiting_from)
        notify_staff(
            booking, Notice.MANAGER_BOOKING_OVERDUE, now=now, not_before=overdue_from, to=settings.MANAGER_INBOX
        )
        told_at = policy.outside_quiet_hours(overdue_from, deadline=deadline(booking), now=now)
        notify_visitor(booking, Notice.ANSWER_LATE, now=now, not_before=told_at)
