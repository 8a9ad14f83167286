"""The next sessions, booked by staff from the last one: each a booking of its own, with its own claim and payment.

They are told in one mail to each side; a single one by the approval's own. One reminder follows each, shortly before
that session is to be paid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from backend.bookings.guarantees import held_session
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import FollowUpBooked
from backend.bookings.lifecycle.creation import Draft, build_pending, insert, keep_consents
from backend.bookings.lifecycle.notify import bundle
from backend.bookings.lifecycle.preview import BookingChange, preview_transaction
from backend.bookings.lifecycle.session_terms import Approval, GuardianConsent, apply_approval
from backend.bookings.lifecycle.transaction import intent, lock_booking, lock_client, write_ledger
from backend.bookings.machine import TAKES_PLACE
from backend.bookings.models import Booking, ClosedDay, Origin, Period
from backend.core.errors import Code, Refused
from backend.core.formatting import practice_zone
from backend.people.models import Client
from backend.scheduling import claims

SERIES_MOST = 12  # sessions booked at once: three months of weeks
TREATED = TAKES_PLACE
OF_THE_WHOLE = (Code.BOOKING_UNKNOWN, Code.STATE_REFUSES, Code.PSYCHOLOGIST_REQUIRED)


@dataclass(frozen=True)
class Series:
    """When the sessions start, and what they share. Empty: as in the session they follow; no amount: the fee."""

    slot_starts: tuple[datetime, ...] | Rhythm
    psychologist_id: int | None = None
    slot_length: timedelta | None = None
    amount_paise: int | None = None
    guardian_consent: GuardianConsent | None = None
    pay_if_not_sponsored: bool = False
    despite_hours: bool = False


@dataclass(frozen=True)
class Rhythm:
    """Starts at one interval, at the same hour of the practice's clock; without `first` they go on from the last."""

    count: int
    interval: timedelta
    first: datetime | None = None

    def starts(self, last_start: datetime, *, now: datetime) -> tuple[datetime, ...]:
        """In UTC, whatever the clock does in between; those that go on from the last are ahead."""
        local = (self.first or last_start).astimezone(practice_zone())
        if self.first is None:
            local += max(1, (now - last_start) // self.interval + 1) * self.interval
        return tuple((local + n * self.interval).astimezone(UTC) for n in range(self.count))


@dataclass(frozen=True)
class SeriesResult:
    """What became of one start: the booking, or why there is none."""

    slot_start: datetime
    booking: Booking | None
    refused: Refused | None
    change: BookingChange | None = None  # all that would be written for it, where it was only tried


@intent
def book_series(booking_id: int, series: Series, *, actor: str, now: datetime) -> list[SeriesResult]:
    """Book what fits, all in one transaction, so that it is told as one; the rest is told, start by start.

    Refuses: series_too_long, booking_unknown, state_refuses, psychologist_required.
    """
    starts = series.slot_starts
    if isinstance(starts, Rhythm):
        starts = starts.starts(_last_start(booking_id), now=now)
    if not 1 <= len(starts) <= SERIES_MOST:
        raise Refused(Code.SERIES_TOO_LONG)
    places = [_place(booking_id, series, start, actor=actor, now=now) for start in sorted(set(starts))]
    bundle(place.booking for place in places if place.booking)
    return places


def preview_series(booking_id: int, series: Series, *, actor: str, now: datetime) -> list[SeriesResult]:
    """What `book_series` would do: the very same, undone. The bookings it returns exist nowhere."""
    with preview_transaction() as witness:
        return [
            replace(place, change=witness.change(place.booking.pk)) if place.booking else place
            for place in book_series(booking_id, series, actor=actor, now=now)
        ]


def _last_start(booking_id: int) -> datetime:
    last = Booking.objects.only("state", "slot_start").filter(pk=booking_id).first()
    if last is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    if last.state not in TREATED or last.slot_start is None:
        raise Refused(Code.STATE_REFUSES, state=last.state)
    return last.slot_start


def _place(booking_id: int, series: Series, slot_start: datetime, *, actor: str, now: datetime) -> SeriesResult:
    try:
        return SeriesResult(slot_start, book_follow_up(booking_id, series, slot_start, actor=actor, now=now), None)
    except Refused as refused:
        if refused.code in OF_THE_WHOLE:
            raise
        return SeriesResult(slot_start, None, refused)


@intent
def book_follow_up(booking_id: int, series: Series, slot_start: datetime, *, actor: str, now: datetime) -> Booking:
    """∅ → PENDING → APPROVED, or → CONFIRMED when nothing is to be paid up front; after a CONFIRMED or COMPLETED one.

    Refuses: booking_unknown, state_refuses, psychologist_required, slot_invalid, slot_past, slot_too_near, slot_taken,
    meeting_link_required, address_required, guardian_consent_required, amount_invalid, sponsor_does_not_cover.
    """
    found = Booking.objects.filter(pk=booking_id).values("client_id", "psychologist_id").first()
    if found is None or found["client_id"] is None:  # nobody is known by it any more
        raise Refused(Code.BOOKING_UNKNOWN)
    client = lock_client(found["client_id"])
    wanted = series.psychologist_id or found["psychologist_id"]
    psychologist = claims.lock_psychologists([wanted]).get(wanted)
    last = lock_booking(booking_id)
    if last.state not in TREATED:
        raise Refused(Code.STATE_REFUSES, state=last.state)
    if psychologist is None or not psychologist.is_active:
        raise Refused(Code.PSYCHOLOGIST_REQUIRED)
    length = series.slot_length or held_session(last).length
    approval = _approval(last, series, slot_start, length, psychologist_id=psychologist.pk)
    booking = _born(client, last, slot_start, length, now=now)
    insert(booking)
    details = FollowUpBooked(follows=last.pk)
    write_ledger(booking, intent=Intent.BOOK_FOLLOW_UP, source="", actor=actor, now=now, details=details)
    apply_approval(booking, psychologist, approval, actor=actor, now=now)
    return booking


def _approval(
    last: Booking, series: Series, slot_start: datetime, length: timedelta, *, psychologist_id: int
) -> Approval:
    return Approval(
        psychologist_id,
        slot_start,
        slot_length=length,
        amount_paise=series.amount_paise,
        guardian_consent=series.guardian_consent,
        despite_hours=series.despite_hours,
        keeps_place=psychologist_id == last.psychologist_id,
        pay_if_not_sponsored=series.pay_if_not_sponsored,
    )


def _born(client: Client, last: Booking, slot_start: datetime, length: timedelta, *, now: datetime) -> Booking:
    """The person, mode and ways to pay of the last one, for the day of the next. Its message was about the first."""
    start = slot_start.astimezone(practice_zone())
    draft = replace(
        Draft.of(last),
        preferred_date=start.date(),
        preferred_period=Period.CUSTOM,
        preferred_time_start=start.time(),
        preferred_time_end=(start + length).time(),
        preferred_psychologist_id=None,
        preferred_slot_start=None,
        user_message="",
    )
    booking = build_pending(client, draft, ClosedDay.calendar(), origin=Origin.STAFF, now=now)
    keep_consents(booking, last)
    booking.follows = last
    booking.corporate = last.corporate or booking.corporate
    booking.meeting_link, booking.address = last.meeting_link, last.address
    return booking
