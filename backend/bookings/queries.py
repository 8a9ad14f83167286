"""Reads: what doors show and what sweeps examine. Nothing here writes or locks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from django.db.models import Exists, Expression, OuterRef, Q, QuerySet

from backend.bookings import links, payment_status, policy, retention
from backend.bookings.machine import HOLDS_SLOT, State
from backend.bookings.models import Booking, DataRequest, LedgerEntry, Purpose, RequestState
from backend.bookings.retention import Kind
from backend.core.compiled_queries import Given, compiled, run_queries
from backend.core.errors import Code, Refused
from backend.payments.models import InboxEvent

Instant: TypeAlias = datetime | Expression
# What the state of a booking is told from, to who knows its id: a third of its columns, and nobody's name
_SHOWN = (
    "acknowledgement_id", "state", "reason", "created_at", "due_at", "pay_by", "choose_by", "moved_by_staff_at",
    "preferred_date", "preferred_period", "preferred_time_start", "preferred_time_end", "mode", "slot_start",
    "slot_end", "payment_mode", "amount_paise", "corporate_id", "email",
)  # fmt: skip
_TYPED = str.maketrans("ILO", "110")  # letters that Crockford's alphabet leaves out, read as the digits they resemble


def normalize_acknowledgement_id(acknowledgement_id: str) -> str:
    """The id as it is stored: upper case, misread letters corrected. Empty if it cannot be an acknowledgement id."""
    value = acknowledgement_id.strip().upper()
    if not value.startswith("MS-"):
        return ""
    value = "MS-" + value[3:].translate(_TYPED)
    return value if re.fullmatch(r"MS-[0-9A-HJKMNP-TV-Z]{6}", value) else ""


class Progress(NamedTuple):
    """A booking with its payments and refunds loaded, and the states it went through, in order."""

    booking: Booking
    visited: list[str]


def proved(acknowledgement_id: str | Expression) -> QuerySet[Booking]:
    """The booking of an id as it is stored, for `progress`. None is shown that is unproved, or an erased person's."""
    known = Booking.objects.filter(verified_at__isnull=False, purged_at=None).only(*_SHOWN)
    return known.filter(acknowledgement_id=acknowledgement_id).order_by()


def progress(booking: Booking) -> Progress:
    """Of one that was found: it is shown from its proof on. One trip, and one more for the refunds of what was paid."""
    steps, payments = run_queries(_steps, payment_status.payments_of, booking=booking.pk)
    payment_status.load_payments(booking, payments)
    return Progress(booking, [target for source, target in steps if source != target])


@compiled
def _steps() -> QuerySet[LedgerEntry, Any]:
    steps = LedgerEntry.objects.filter(booking=Given("booking"))
    return steps.order_by("sequence").values_list("source", "target")


def by_token(token: str, *, now: datetime) -> Booking:
    """What a booking link shows without proving anything.

    Refuses: link_unknown, link_expired, draft_lapsed, draft_superseded, open_in_browser (a draft waits for its proof).
    """
    booking = links.readable(links.find(token, Purpose.BOOKING), now=now)
    if booking.state == State.DRAFT:
        raise Refused(Code.OPEN_IN_BROWSER)
    return booking


@dataclass(frozen=True)
class RepeatedRequest:
    """A request we left unanswered, and what asking again by its link led to."""

    asked: Booking
    made: Booking | None


def repeated_request(token: str, *, now: datetime) -> RepeatedRequest:
    """What a link in our apology can do, or has done. Refuses: link_unknown, link_expired."""
    link = links.find(token, Purpose.AGAIN)
    if link.spent_at is None:
        if link.expires_at is None or link.expires_at <= now:
            raise Refused(Code.LINK_EXPIRED)
        return RepeatedRequest(link.booking, None)
    made = links.made_again(link)
    if made is None:
        raise Refused(Code.LINK_EXPIRED)
    return RepeatedRequest(link.booking, made)


def acknowledgement_ids(booking_ids: Iterable[int | None]) -> dict[int | None, str]:
    """What people know these bookings by."""
    return dict(Booking.objects.filter(pk__in=[pk for pk in booking_ids if pk]).values_list("pk", "acknowledgement_id"))


def payment_status_value(booking: Booking) -> str:
    """The value of a `PaymentStatus`, from the money rows."""
    return payment_status.payment_status(booking).value


def series_ahead(booking_id: int, *, now: Instant) -> QuerySet[Booking]:
    """The sessions ahead of the series this one belongs to: of those booked from the same one at the same instant.

    Where it follows none, itself. By time.
    """
    this = Booking.objects.filter(pk=booking_id).values("follows", "created_at").first()
    of_it = Q(pk=booking_id) if this is None or this["follows"] is None else Q(**this)
    ahead = Booking.objects.filter(of_it, state__in=HOLDS_SLOT, slot_start__gt=now)
    return ahead.defer("user_message").order_by("slot_start", "pk")


# -- what sweeps examine, an index serves each; by the same rules operators count what is left


def past_due(now: Instant) -> QuerySet[Booking]:
    """Bookings of any state whose deadline has passed."""
    return Booking.objects.filter(due_at__lte=now)


def unproved_cancellations(asked_by: Instant) -> QuerySet[Booking]:
    """Bookings whose cancellation was asked for by then and not proved."""
    return Booking.objects.filter(cancellation_requested_at__lte=asked_by)


def choices_not_made(ended_by: Instant) -> QuerySet[Booking]:
    """Bookings whose visitor was to choose another time by then and did not."""
    return Booking.objects.filter(choose_by__lte=ended_by)


def unproved_drafts(closed_by: Instant) -> QuerySet[Booking]:
    """Drafts that closed unproved by then and still have their personal data."""
    return retention.due(Kind.DRAFTS, closed_by)


# oldest deadline first


def due(state: State, *, now: datetime) -> QuerySet[Booking]:
    """Bookings of `state` whose deadline has passed. A choice that is open ends first, by a deadline of its own."""
    return past_due(now).filter(state=state, choose_by=None).order_by("due_at")


def attempts_to_ask_after(*, now: datetime) -> QuerySet[Booking]:
    """Bookings whose open attempt passed its deadline and whose turn to ask the gateway has come."""
    has_its_turn = (
        Q(next_ask_at=None)
        | Q(next_ask_at__lte=now)
        | Q(next_ask_at__gt=now + policy.GATEWAY_ASK_EVERY)  # set by a clock that stepped back since
    )
    return past_due(now).filter(has_its_turn, state=State.PAYMENT_PENDING).order_by("due_at")


def drafts_to_purge(*, now: datetime) -> QuerySet[Booking]:
    """Drafts that closed unproved and have kept their personal data long enough; an erasure takes its person's own."""
    waiting = Exists(open_data_requests().filter(client=OuterRef("client")))
    drafts: QuerySet[Booking] = retention.stale(Kind.DRAFTS, now=now).filter(~waiting)
    return drafts


def cancellations_to_lapse(*, now: datetime) -> QuerySet[Booking]:
    """Bookings whose cancellation was asked for and not proved within its hour."""
    return unproved_cancellations(now - policy.CANCEL_LINK_LIFETIME).order_by("cancellation_requested_at")


def choices_to_lapse(*, now: datetime) -> QuerySet[Booking]:
    """Bookings whose visitor chose no other time while it was possible."""
    return choices_not_made(now).order_by("choose_by")


def data_requests_due(*, now: datetime) -> QuerySet[DataRequest]:
    """Requests of people whose day has come: to be carried out, put off, or given up as unproved."""
    return DataRequest.objects.filter(due_at__lte=now).order_by("due_at")


def events_to_apply(*, now: datetime) -> QuerySet[InboxEvent]:
    """Webhooks that were kept and had no effect yet: their rows were held, or the web process was ended."""
    waiting = InboxEvent.objects.filter(applied_at=None, received_at__lte=now - policy.EVENT_LEFT_TO_DOOR)
    return waiting.order_by("received_at")


def open_data_requests() -> QuerySet[DataRequest]:
    """Requests of people that wait for us, the nearest deadline first; who did not prove it waits for nothing."""
    return DataRequest.objects.filter(closed_at=None, state=RequestState.WAITING).order_by("deadline", "pk")
