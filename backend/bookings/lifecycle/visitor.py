"""What a visitor intends: submit a draft, prove the address, ask for the link again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction

from backend.bookings import links, policy, sponsors
from backend.bookings.lifecycle.notify import notify_address, notify_staff, notify_visitor
from backend.bookings.lifecycle.transaction import VISITOR, intent, lock_client, run_transition, write_ledger
from backend.bookings.machine import ACTIVE, Reason, State
from backend.bookings.models import Booking, ClosedDay, LedgerEntry, Link, Origin, Purpose, new_acknowledgement_id
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.core.formatting import practice_zone
from backend.people.models import Client, Psychologist

PERSONAL_FIELDS = ("full_name", "phone_number", "city", "region", "country", "gender", "emergency_contact")


@dataclass(frozen=True)
class Draft:
    """What the site's form says, cleaned. `email` is lower-cased; hours are the practice's local time."""

    email: str
    full_name: str
    phone_number: str
    city: str
    region: str
    country: str
    age: int
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


@intent
def submit_draft(draft: Draft, *, now: datetime) -> None:
    """∅ → DRAFT. Says nothing to the asker about the address: the answer is in the mail.

    Refuses: date_past, age_refused, wish_unknown, wish_past; not a wish for what is taken: no request is lost by it.
    """
    check_draft(draft, now=now)
    Client.objects.bulk_create([Client(email=draft.email, created_at=now)], ignore_conflicts=True)
    client = Client.objects.select_for_update().get(email=draft.email)
    active = active_booking(client)
    if active is not None:
        _record_and_forget(client, draft, now=now)
        notify_visitor(active, Notice.ALREADY_BOOKED, now=now, once_per=uuid4().hex)
    elif not _is_same_click(client, draft, now=now):
        _record(client, draft, now=now)


def _record(client: Client, draft: Draft, *, now: datetime) -> None:
    booking = booking_of(client, draft, now=now)
    insert(booking)
    write_ledger(booking, intent="submit_draft", source="", actor=VISITOR, now=now, details=None)
    if notify_visitor(booking, Notice.DRAFT_SUBMITTED, now=now):
        notify_visitor(
            booking,
            Notice.DRAFT_STILL_UNVERIFIED,
            now=now,
            not_before=now + policy.DRAFT_REMINDER_AFTER,
        )


def _record_and_forget(client: Client, draft: Draft, *, now: datetime) -> None:
    """The same work as for any address, undone: how long we take must not tell that a booking exists."""
    savepoint = transaction.savepoint()
    _record(client, draft, now=now)
    transaction.savepoint_rollback(savepoint)


def verify_email(token: str, *, now: datetime) -> Booking:
    """DRAFT → PENDING on first use; afterwards reads. Returns the booking as it is.

    Refuses: link_unknown, link_expired, draft_lapsed, draft_superseded, already_active.
    """
    link = links.find(token, Purpose.BOOKING)
    if link.booking.state == State.DRAFT:
        _verify(link, now=now)
        link = links.find(token, Purpose.BOOKING)
    return links.readable(link, now=now)


@intent
def _verify(link: Link, *, now: datetime) -> None:
    """DRAFT → PENDING, its siblings → CANCELLED `superseded`. Refuses: draft_lapsed, already_active."""
    assert link.booking.client_id is not None
    client = lock_client(link.booking.client_id)
    drafts = list(Booking.objects.select_for_update().filter(client=client, state=State.DRAFT).order_by("pk"))
    booking = next((draft for draft in drafts if draft.pk == link.booking_id), None)
    if booking is None:
        return  # somebody was faster; the caller reads what became of it
    assert booking.due_at is not None
    if booking.due_at <= now:
        raise Refused(Code.DRAFT_LAPSED)
    if active_booking(client) is not None:
        raise Refused(Code.ALREADY_ACTIVE)
    booking.verified_at = now
    booking.corporate = sponsors.named_by(booking)
    due_at = policy.open_time_after(now, policy.ANSWER_WITHIN, ClosedDay.calendar())
    run_transition(
        booking,
        lambda: booking.verify(due_at=due_at),
        intent="verify_email",
        actor=VISITOR,
        now=now,
        saving=["verified_at", "corporate"],
        details={"corporate": booking.corporate_id} if booking.corporate_id else None,
    )
    fill_client(client, booking)
    links.keep_open(booking)
    for sibling in drafts:
        if sibling.pk != booking.pk:
            _supersede(sibling, now=now)
    notify_request_received(booking, now=now)


def notify_request_received(booking: Booking, *, now: datetime) -> None:
    """Tell the visitor and staff of a request, and owe the warnings of its deadline.

    Staff hear at once and after STAFF_REMINDED_AFTER of open time, managers after MANAGER_TOLD_AFTER; then the visitor
    reads that we are late, and that this is no refusal.
    """
    notify_visitor(booking, Notice.BOOKING_RECEIVED, now=now)
    notify_staff(booking, Notice.STAFF_BOOKING_RECEIVED, now=now)
    day_at = ClosedDay.calendar()
    waiting_from = policy.open_time_after(now, policy.STAFF_REMINDED_AFTER, day_at)
    overdue_from = policy.open_time_after(now, policy.MANAGER_TOLD_AFTER, day_at)
    notify_staff(booking, Notice.STAFF_BOOKING_WAITING, now=now, not_before=waiting_from)
    notify_staff(booking, Notice.MANAGER_BOOKING_OVERDUE, now=now, not_before=overdue_from, to=settings.MANAGER_INBOX)
    notify_visitor(booking, Notice.ANSWER_LATE, now=now, not_before=overdue_from)


@intent
def request_again(token: str, *, now: datetime) -> Booking:
    """∅ → PENDING: the same request once more, to the top of the list, after we left it unanswered. Spends the link.

    A link that was used shows what came of it. Refuses: link_unknown, link_expired, already_active.
    """
    link = links.find(token, Purpose.AGAIN)
    assert link.booking.client_id is not None
    client = lock_client(link.booking.client_id)
    if not links.spend(link, now=now):
        return _after_used(link)
    if active_booking(client) is not None:
        raise Refused(Code.ALREADY_ACTIVE)
    old = link.booking
    draft = Draft(**{name: getattr(old, name) for name in Draft.__dataclass_fields__})
    today = now.astimezone(practice_zone()).date()
    is_ahead = draft.preferred_slot_start is not None and draft.preferred_slot_start > now
    draft = replace(
        draft,
        preferred_date=max(draft.preferred_date, today),
        preferred_slot_start=draft.preferred_slot_start if is_ahead else None,
    )
    booking = born_pending(booking_of(client, draft, now=now), origin=Origin.VISITOR, now=now)
    booking.is_priority = True
    insert(booking)
    details = {"instead_of": old.pk}
    write_ledger(booking, intent="request_again", source="", actor=VISITOR, now=now, details=details)
    notify_request_received(booking, now=now)
    return booking


def _after_used(link: Link) -> Booking:
    """The booking that a used link led to. Refuses: link_expired, when it was never used."""
    link = Link.objects.select_related("booking").get(pk=link.pk)
    made = LedgerEntry.objects.filter(intent="request_again", details__instead_of=link.booking_id).first()
    if link.spent_at is None or made is None:
        raise Refused(Code.LINK_EXPIRED)
    return made.booking


@intent
def request_link(address: str, *, now: datetime) -> None:
    """No transition: mails the booking link, a fresh verification, or "nothing open". The asker learns nothing."""
    client = Client.objects.select_for_update().filter(email=address).first()
    booking = _latest_readable(client, now=now) if client else None
    if booking is None:
        notify_address(address, Notice.NOTHING_OPEN, now=now, once_per=uuid4().hex)
    elif booking.state == State.DRAFT:
        notify_visitor(booking, Notice.DRAFT_SUBMITTED, now=now, once_per=uuid4().hex)
    else:
        notify_visitor(booking, Notice.LINK_REQUESTED, now=now, once_per=uuid4().hex)


def _latest_readable(client: Client, *, now: datetime) -> Booking | None:
    """The active booking, else the live draft, else the booking that closed last and may still be read."""
    bookings = Booking.objects.filter(client=client)
    found: Booking | None = (
        bookings.filter(state__in=ACTIVE).first()
        or bookings.filter(state=State.DRAFT, due_at__gt=now).first()
        or bookings.filter(verified_at__isnull=False, closed_at__gt=now - policy.LINK_KEPT_AFTER_CLOSE).first()
    )
    return found


def active_booking(client: Client) -> Booking | None:
    found: Booking | None = Booking.objects.filter(client=client, origin=Origin.VISITOR, state__in=ACTIVE).first()
    return found


def _is_same_click(client: Client, draft: Draft, *, now: datetime) -> bool:
    """Whether the latest live draft says the very same and came a moment ago: one click that arrived twice."""
    latest = Booking.objects.filter(client=client, state=State.DRAFT).first()
    return latest is not None and says_the_same(latest, draft, now=now)


def says_the_same(booking: Booking, draft: Draft, *, now: datetime) -> bool:
    """Whether this booking came a moment ago from the very same request: a click, or a call, that arrived twice."""
    came_just_now = booking.created_at > now - policy.DRAFT_REPEAT_WINDOW
    return came_just_now and all(getattr(booking, name) == value for name, value in asdict(draft).items())


def check_draft(draft: Draft, *, now: datetime) -> None:
    """What holds for every request, whoever types it. Refuses: date_past, age_refused, wish_unknown, wish_past."""
    if draft.preferred_date < now.astimezone(practice_zone()).date():
        raise Refused(Code.DATE_PAST)
    if draft.age < policy.MINIMUM_AGE:
        raise Refused(Code.AGE_REFUSED)
    wanted, who = draft.preferred_slot_start, draft.preferred_psychologist_id
    if wanted is not None and not now < wanted <= now + policy.SLOT_HORIZON:
        raise Refused(Code.WISH_PAST)
    if who is not None and not Psychologist.objects.filter(pk=who, is_active=True).exists():
        raise Refused(Code.WISH_UNKNOWN)


def booking_of(client: Client, draft: Draft, *, now: datetime) -> Booking:
    """A new row, not stored yet, in DRAFT."""
    booking: Booking = Booking(
        **asdict(draft),
        client=client,
        consent_given_at=now,
        created_at=now,
        due_at=now + policy.DRAFT_LIFETIME,
        ledger_sequence=1,
    )
    return booking


def born_pending(booking: Booking, *, origin: Origin, now: datetime) -> Booking:
    """The same row born proved: another instance, because only its constructor may say the state it is born in."""
    values = {field.attname: getattr(booking, field.attname) for field in booking._meta.concrete_fields}
    due_at = policy.open_time_after(now, policy.ANSWER_WITHIN, ClosedDay.calendar())
    values |= {"state": State.PENDING, "due_at": due_at, "origin": origin, "verified_at": now}
    born: Booking = Booking(**values)
    born.corporate = sponsors.named_by(born)
    return born


def insert(booking: Booking) -> None:
    """Store a new booking; a collision of its acknowledgement id, one in 10^9 per row, draws again."""
    while True:
        try:
            with transaction.atomic():
                booking.save(force_insert=True)
        except IntegrityError:
            if not Booking.objects.filter(acknowledgement_id=booking.acknowledgement_id).exists():
                raise
            booking.acknowledgement_id = new_acknowledgement_id()
        else:
            return


def fill_client(client: Client, booking: Booking) -> None:
    """What the visitor typed fills only what we did not know."""
    empty = [name for name in PERSONAL_FIELDS if not getattr(client, name) and getattr(booking, name)]
    for name in empty:
        setattr(client, name, getattr(booking, name))
    if empty:
        client.save(update_fields=empty)


def _supersede(draft: Booking, *, now: datetime) -> None:
    run_transition(
        draft,
        lambda: draft.lapse(reason=Reason.SUPERSEDED, now=now),
        intent="supersede",
        actor=VISITOR,
        now=now,
    )
