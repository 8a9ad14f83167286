"""What a day at the desk begins with: who waits for us, what is held today, what failed and whom it leaves unreached.

Every list is bounded, and how many queries all of them cost does not depend on their length. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, TypeVar

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from backend.bookings import kept_sums
from backend.bookings.access import about_seen
from backend.bookings.machine import ACTIVE, HOLDS_SLOT, State
from backend.bookings.models import Booking, DataRequest, Origin
from backend.bookings.payment_status import takes_at_desk
from backend.bookings.queries import open_data_requests
from backend.core.compiled_queries import Ago, Instant, compiled, run_queries
from backend.core.formatting import practice_zone
from backend.desk.waiting import UNPAID_FOR, lapsing, unpaid, unrecorded
from backend.outbox.by_telephone import to_tell
from backend.outbox.models import GIVEN_UP, Message, Queue
from backend.payments.models import Payment, PaymentMethod, Refund, RefundState
from backend.scheduling.rebooking_options import on_closed_days

SHOWN = 15  # rows of a list; whoever has more waiting works from the list of bookings
SESSIONS_SHOWN = 30  # of a day; whoever has more works from the calendar
UNTOLD_READ = 100  # messages to tell by telephone; several may be about one booking
DEAD_READ = 100  # dead messages; several may be about one booking, and share a line
UNPAID_KEPT = 200
CLOSED_WITHIN = timedelta(days=14)  # how far ahead closed days are looked through
UNEXPECTED_FOR = timedelta(days=7)  # how long money that nobody expected is shown
Row = TypeVar("Row", Booking, Refund, Payment, DataRequest)


@dataclass(frozen=True)
class Failure:
    """A mail or an order to the gateway that was given up, with the booking that it spoke of."""

    message: Message
    booking: Booking | None

    @property
    def leaves_visitor_unreached(self) -> bool:
        """Whether somebody should ring the visitor."""
        is_mail = self.message.queue == Queue.MAIL
        return is_mail and self.booking is not None and self.message.recipient == self.booking.email


@dataclass(frozen=True)
class Untold:
    """What one person is to be told by telephone, oldest first."""

    booking: Booking
    messages: list[Message]


@dataclass(frozen=True)
class Dashboard:
    """The lists in the order in which they press; each has up to SHOWN rows, and one more when there are more."""

    waiting: list[Booking]  # for a decision; what lapses first stands first
    asked_to_cancel: list[Booking]  # and has not proved it
    choosing: list[Booking]  # another time, as this one cannot be held; whose choice ends first stands first
    lapsing: list[Booking]  # holds that end soon if nobody pays
    sessions: list[Booking]  # of today, by psychologist and time; of hundreds those that go on or come next
    are_more_sessions: bool
    failures: list[Failure]
    refunds: list[Refund]  # refused by the gateway, or to be handed out at the desk
    untold: list[Untold]  # who has no mail address, and was not rung yet
    unexpected: list[Payment]  # money that came back to us through a webhook and paid for nothing
    unrecorded: list[Booking]  # held, and nobody said what became of it
    unpaid_as_of: str  # when those of more than a day ago were looked for; empty: now
    unpaid: list[Booking]  # held, and due at the practice
    on_closed_days: list[Booking]  # soon, and nobody will be there
    asked_about_data: list[DataRequest]  # by whose deadline is next


def dashboard(seen: QuerySet[Booking], *, now: datetime) -> Dashboard:
    """The dashboard's lists, over the bookings `seen`. A dozen queries, and seven more for who sees only some."""
    rows = _shown(seen)
    sees_all = not seen.query.where
    sessions, are_more = _sessions(rows, now=now)
    owing, owing_as_of = _unpaid(rows, now=now)
    return Dashboard(
        **(_of_all(now=now) if sees_all else {name: _some(of(seen, now)) for name, of in _LISTS.items()}),
        sessions=sessions,
        are_more_sessions=are_more,
        failures=_failures(rows),
        untold=_untold(rows, now=now),
        unpaid=owing,
        unpaid_as_of=owing_as_of,
        on_closed_days=_on_closed_days(rows, now=now),
    )


def day_of(now: datetime, days: int = 0) -> tuple[datetime, datetime]:
    """The practice's day at `now`, or `days` later, half-open."""
    on = now.astimezone(practice_zone()).date() + timedelta(days=days)
    start, end = (datetime.combine(day, time(), tzinfo=practice_zone()) for day in (on, on + timedelta(days=1)))
    return start, end


def _some(rows: QuerySet[Row]) -> list[Row]:
    return list(rows[: SHOWN + 1])


def _on_closed_days(rows: QuerySet[Booking], *, now: datetime) -> list[Booking]:
    found = [booking.pk for booking in on_closed_days(now=now, until=now + CLOSED_WITHIN)]
    return _some(rows.filter(pk__in=found).order_by("slot_start")) if found else []


def _of_all(*, now: datetime) -> dict[str, list[Any]]:
    """The lists of who sees every booking: written once, for each is as long as all its columns, and asked together."""
    return dict(zip(_LISTS, run_queries(*_WRITTEN, now=now), strict=True))


def _shown(seen: QuerySet[Booking]) -> QuerySet[Booking]:
    return seen.select_related("psychologist").defer("user_message")


def _unpaid(rows: QuerySet[Booking], *, now: datetime) -> tuple[list[Booking], str]:
    """The oldest, and as of when. A large practice has thousands of sessions to look through, so those found are kept.

    Each of those is asked again, and so are the sessions of the last day: only an older one whose payment is taken back
    comes some minutes late.
    """
    owing = unpaid(rows, now=now)
    if rows.query.where:
        return _some(owing), ""
    ids, counted_at = kept_sums.kept(
        "unpaid sessions", lambda: _ids_of_unpaid(now), is_large=lambda ids: ids is not None, now=now
    )
    if ids is None:
        return _some(owing), ""
    recent = Q(slot_start__gt=(counted_at or now) - timedelta(days=1))
    return _some(owing.filter(Q(pk__in=ids) | recent)), kept_sums.clock(counted_at)


def _ids_of_unpaid(now: datetime) -> list[int] | None:
    """The oldest; None where sessions are few."""
    held = Booking.objects.filter(slot_start__gt=now - UNPAID_FOR, slot_start__lte=now).order_by()
    if held[: kept_sums.MANY].count() < kept_sums.MANY:
        return None
    return list(unpaid(Booking.objects.all(), now=now).values_list("pk", flat=True)[:UNPAID_KEPT])


def _sessions(rows: QuerySet[Booking], *, now: datetime) -> tuple[list[Booking], bool]:
    """All of today; of more than are shown those that go on or come next, and that there are more."""
    start, end = day_of(now)
    today = rows.filter(slot_start__gte=start, slot_start__lt=end, state__in=(*HOLDS_SLOT, State.COMPLETED))
    by_time = today.annotate(owed_paise=takes_at_desk()).order_by("slot_start", "pk")
    are_more = today[: SESSIONS_SHOWN + 1].count() > SESSIONS_SHOWN
    found = by_time.filter(slot_end__gt=now)[:SESSIONS_SHOWN] if are_more else by_time
    return sorted(found, key=lambda one: (str(one.psychologist), one.psychologist_id or 0)), are_more


def _failures(rows: QuerySet[Booking]) -> list[Failure]:
    dead = list(Message.objects.filter(state__in=GIVEN_UP).defer("context").order_by("-pk")[:DEAD_READ])
    bookings = rows.in_bulk({message.booking_id for message in dead if message.booking_id is not None})
    found = ((message, bookings.get(message.booking_id or 0)) for message in dead)
    return [Failure(message, booking) for message, booking in found if booking or message.booking_id is None]


def _untold(rows: QuerySet[Booking], *, now: datetime) -> list[Untold]:
    by_booking: dict[int | None, list[Message]] = {}
    for message in to_tell(now=now)[:UNTOLD_READ]:
        by_booking.setdefault(message.booking_id, []).append(message)
    bookings = rows.in_bulk({pk for pk in by_booking if pk is not None})
    found = [Untold(bookings[pk], owed) for pk, owed in by_booking.items() if pk in bookings]
    return found[: SHOWN + 1]


# -- lists that are asked together -------------------------------------------------------------------------------------


def _waiting(seen: QuerySet[Booking], _now: Instant) -> QuerySet[Booking]:
    is_unread = Case(  # what staff typed for a caller, staff have read
        When(~Q(user_message="") & Q(message_read_at=None, origin=Origin.VISITOR), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    pending = _shown(seen).filter(state=State.PENDING, due_at__isnull=False).annotate(is_unread=is_unread)
    return pending.order_by("due_at", "-is_priority", "pk")


def _asked_to_cancel(seen: QuerySet[Booking], _now: Instant) -> QuerySet[Booking]:
    asked = _shown(seen).filter(cancellation_requested_at__isnull=False, state__in=ACTIVE)
    return asked.order_by("cancellation_requested_at", "pk")


def _choosing(seen: QuerySet[Booking], _now: Instant) -> QuerySet[Booking]:
    return _shown(seen).filter(choose_by__isnull=False).order_by("choose_by", "pk")


def _lapsing(seen: QuerySet[Booking], now: Instant) -> QuerySet[Booking]:
    return lapsing(_shown(seen), now=now)


def _unrecorded(seen: QuerySet[Booking], now: Instant) -> QuerySet[Booking]:
    return unrecorded(_shown(seen), now=now)


def _refunds(seen: QuerySet[Booking], _now: Instant) -> QuerySet[Refund]:
    """A refused one whose money was promised anew since is not told apart here; its booking's page does."""
    by_hand = Q(state__in=(RefundState.REFUSED, RefundState.UNFINISHED))
    ours = by_hand | Q(state=RefundState.QUEUED, payment__method=PaymentMethod.DESK)
    rows = about_seen(Refund.objects.filter(ours), "payment__booking", seen).select_related("payment__booking")
    return rows.defer("payment__booking__user_message").order_by("queued_at", "pk")


def _unexpected(seen: QuerySet[Booking], now: Instant) -> QuerySet[Payment]:
    came = Payment.objects.filter(is_unexpected=True, captured_at__gt=now - UNEXPECTED_FOR)
    rows: QuerySet[Payment] = about_seen(came, "booking", seen)
    return rows.select_related("booking").defer("booking__user_message").order_by("-captured_at", "pk")


def _asked_about_data(seen: QuerySet[Booking], _now: Instant) -> QuerySet[DataRequest]:
    rows = about_seen(open_data_requests(), "booking", seen)
    return rows.select_related("booking").defer("booking__user_message")


_LISTS: dict[str, Callable[[QuerySet[Booking], Instant], QuerySet[Any]]] = {
    "waiting": _waiting,
    "asked_to_cancel": _asked_to_cancel,
    "choosing": _choosing,
    "lapsing": _lapsing,
    "refunds": _refunds,
    "unexpected": _unexpected,
    "unrecorded": _unrecorded,
    "asked_about_data": _asked_about_data,
}


def _written(of: Callable[[QuerySet[Booking], Instant], QuerySet[Any]]) -> compiled:
    return compiled(lambda: of(Booking.objects.all(), Ago())[: SHOWN + 1])


_WRITTEN = [_written(of) for of in _LISTS.values()]
