"""Reads for staff: the list they search, one whole booking, and the people they choose from. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Q, QuerySet

from backend.bookings.access import AccessPolicy
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.queries import normalize_acknowledgement_id
from backend.bookings.search import matching
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Refused
from backend.outbox import bundles
from backend.outbox.models import Message
from backend.payments.models import Payment, Refund


@dataclass(frozen=True)
class BookingFilter:
    """Which bookings staff look for; what is empty does not narrow. Days are inclusive."""

    state: str = ""
    mode: str = ""
    psychologist_id: int | None = None
    preferred_from: date | None = None
    preferred_until: date | None = None
    due_before: datetime | None = None
    lookups: Q = field(default_factory=Q)  # of columns, as they are
    text: str = ""  # part of a name, address or telephone number, or an id as people type it


def bookings(wanted: BookingFilter, *, access: AccessPolicy, after: str, limit: int) -> list[Booking]:
    """Up to `limit` that they see, newest first, from behind the one with the acknowledgement id `after`. One query.

    Refuses: booking_unknown, for `after`.
    """
    found = _shown().filter(access.bookings(), _condition(wanted, access))
    if after:
        found = found.filter(
            pk__lt=Booking.objects.filter(acknowledgement_id=normalize_acknowledgement_id(after)).values("pk")
        )
    rows = list(found.order_by("-pk")[:limit])
    if after and not rows:
        booking_id(after, among=access.bookings())  # the end of the list, or behind nothing that exists?
    return rows


def _condition(wanted: BookingFilter, access: AccessPolicy) -> Q:
    narrowing = {
        "state": wanted.state or None,
        "mode": wanted.mode or None,
        "psychologist": wanted.psychologist_id,
        "preferred_date__gte": wanted.preferred_from,
        "preferred_date__lte": wanted.preferred_until,
        "due_at__lt": wanted.due_before,
    }
    condition = Q(**{name: value for name, value in narrowing.items() if value is not None}) & wanted.lookups
    return condition & matching(wanted.text, access) if wanted.text.strip() else condition


def _shown() -> QuerySet[Booking]:
    beside = ("psychologist", "preferred_psychologist", "corporate", "follows")
    rows = Booking.objects.select_related(*beside)
    return rows.defer("user_message", "follows__user_message")


def booking(acknowledgement_id: str, *, among: Q) -> Booking:
    """A booking in any state. Refuses: booking_unknown, for one that is not `among` those that the asker sees too."""
    value = normalize_acknowledgement_id(acknowledgement_id)
    found: Booking | None
    if among:
        found = _shown().filter(among, acknowledgement_id=value).first()
    else:
        found = _of_all.first(acknowledgement_id=value)
    if found is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    return found


@compiled
def _of_all() -> QuerySet[Booking]:
    return _shown().filter(acknowledgement_id=Given("acknowledgement_id")).order_by()


def booking_id(acknowledgement_id: str, *, among: Q) -> int:
    """What intents of staff take. Refuses: booking_unknown, as above."""
    value = normalize_acknowledgement_id(acknowledgement_id)
    found: tuple[int] | None
    if among:
        found = Booking.objects.filter(among, acknowledgement_id=value).values_list("pk").first()
    else:
        found = _id_of_all.first(acknowledgement_id=value)
    if found is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    return found[0]


@compiled
def _id_of_all() -> QuerySet[Booking, tuple[int]]:
    return Booking.objects.filter(acknowledgement_id=Given("acknowledgement_id")).values_list("pk").order_by()


def refund_id(booking_id: int, reference: str) -> int:
    """A refund of this booking. Refuses: refund_unknown."""
    rows = Refund.objects.filter(payment__booking=booking_id, reference=reference)
    found = rows.values_list("pk", flat=True).first()
    if found is None:
        raise Refused(Code.REFUND_UNKNOWN)
    return found


def ledger(booking: Booking) -> list[LedgerEntry]:
    """What happened to a booking, in order."""
    return list(LedgerEntry.objects.filter(booking=booking).order_by("sequence"))


def payments(booking: Booking) -> list[Payment]:
    """Its attempts to pay, oldest first, with their refunds."""
    return list(Payment.objects.filter(booking=booking).order_by("pk").prefetch_related("refunds", "receipts"))


def messages(booking: Booking) -> list[Message]:
    """What was owed because of it, oldest first; without what the mails said."""
    return list(Message.objects.filter(bundles.about(booking.pk)).order_by("pk").defer("context"))
