"""Any span of days in numbers, by psychologist: sessions, occupancy, money, and who called bookings off.

A session counts on the day on which it takes place, money on the day on which it moves, a cancellation on the day on
which the booking closed. Days are the practice's. How many queries it costs does not depend on the span.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum

from backend.bookings.access import about_seen
from backend.bookings.machine import CALLED_OFF, HOLDS_SLOT, Reason, State
from backend.bookings.models import Booking, Outcome
from backend.bookings.payment_status import owed
from backend.payments.models import Payment, PaymentState, Refund, RefundState
from backend.people.models import Psychologist
from backend.reports.open_time import open_time

NOBODY = "Without a psychologist"
TOGETHER = "Together"
_SPANS = ("busy", "open")


@dataclass
class Numbers:
    """Of one psychologist, of bookings that have none, or of all together."""

    sessions: int = 0  # that take place, or took
    attended: int = 0
    no_shows: int = 0
    busy: timedelta = field(default_factory=timedelta)
    open: timedelta = field(default_factory=timedelta)  # what their hours offer, closed days and time off taken away
    paid_paise: int = 0
    given_back_paise: int = 0
    unpaid_paise: int = 0  # held, and due at the practice
    by_visitor: int = 0
    by_visitor_late: int = 0
    by_practice: int = 0  # cancelled or declined
    unanswered: int = 0
    not_paid: int = 0  # not paid in time

    @property
    def occupancy(self) -> int | None:
        """Per cent of the open time; None where nobody's hours are known."""
        return round(100 * self.busy / self.open) if self.open else None

    def as_json(self) -> dict[str, float]:
        spans = {name: getattr(self, name).total_seconds() for name in _SPANS}
        return {one.name: getattr(self, one.name) for one in fields(self)} | spans

    @classmethod
    def of_json(cls, said: dict[str, Any]) -> Numbers:
        return cls(**said | {name: timedelta(seconds=said[name]) for name in _SPANS})

    def add(self, other: Numbers) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


_CALLED_OFF = {  # a column, and the reasons that it counts
    "by_visitor": (Reason.BY_VISITOR,),
    "by_visitor_late": (Reason.CANCELLED_LATE,),
    "by_practice": (Reason.BY_STAFF, Reason.DECLINED),
    "unanswered": (Reason.UNANSWERED,),
    "not_paid": (Reason.PAYMENT_TIMED_OUT,),
}


class Line(NamedTuple):
    """Of one psychologist; without id and name of bookings that have none."""

    psychologist_id: int | None
    name: str
    numbers: Numbers


def numbers(start: datetime, end: datetime, psychologist_id: int | None, *, now: datetime) -> dict[str, Numbers]:
    """By name, and last of all together; `[start, end)`."""
    return by_name(lines(start, end, psychologist_id, now=now))


def by_name(found: list[Line]) -> dict[str, Numbers]:
    """By name, and last of all together."""
    told: dict[str, Numbers] = {}
    for pk, name, one in found:
        told[NOBODY if pk is None else name if name not in told else f"{name} ({pk})"] = one
    return {**told, TOGETHER: together(found)}


def together(found: Iterable[Line]) -> Numbers:
    """Of all of them."""
    whole = Numbers()
    for line in found:
        whole.add(line.numbers)
    return whole


def lines(start: datetime, end: datetime, psychologist_id: int | None, *, now: datetime) -> list[Line]:
    """In the order of their names; `[start, end)`."""
    return named(count(start, end, psychologist_id, now=now))


def count(start: datetime, end: datetime, psychologist_id: int | None, *, now: datetime) -> dict[int | None, Numbers]:
    """By psychologist's id, and None of bookings that have none; `[start, end)`."""
    seen = Booking.objects.all() if psychologist_id is None else Booking.objects.filter(psychologist=psychologist_id)
    found: dict[int | None, Numbers] = defaultdict(Numbers)
    _count_sessions(found, seen.filter(slot_start__gte=start, slot_start__lt=end), now=now)
    _count_money(found, seen, start, end)
    called_off = seen.filter(closed_at__gte=start, closed_at__lt=end, state__in=CALLED_OFF)
    _count_called_off(found, called_off)
    active = Psychologist.objects.filter(is_active=True) if psychologist_id is None else Psychologist.objects.none()
    whose = {pk for pk in (psychologist_id, *found, *active.values_list("pk", flat=True)) if pk is not None}
    for pk, span in open_time(start, end, whose).items():
        found[pk].open = span
    return found


def _count_sessions(found: dict[int | None, Numbers], rows: QuerySet[Booking], *, now: datetime) -> None:
    length = ExpressionWrapper(F("slot_end") - F("slot_start"), DurationField())
    takes_place = rows.filter(state__in=(*HOLDS_SLOT, State.COMPLETED))
    for who, outcome, count, busy in (
        takes_place.order_by().values_list("psychologist", "outcome").annotate(count=Count("pk"), busy=Sum(length))
    ):
        one = found[who]
        one.sessions += count
        one.busy += busy
        one.attended += count if outcome == Outcome.ATTENDED else 0
        one.no_shows += count if outcome == Outcome.NO_SHOW else 0
    for who, paise in _sums(owed(rows, now=now), "psychologist", "owed_paise"):
        found[who].unpaid_paise += paise


def _count_money(found: dict[int | None, Numbers], seen: QuerySet[Booking], start: datetime, end: datetime) -> None:
    paid = Payment.objects.filter(state=PaymentState.CAPTURED, captured_at__gte=start, captured_at__lt=end)
    for who, paise in _sums(about_seen(paid, "booking", seen), "booking__psychologist", "captured_paise"):
        found[who].paid_paise += paise
    back = Refund.objects.filter(state=RefundState.DONE, settled_at__gte=start, settled_at__lt=end)
    for who, paise in _sums(
        about_seen(back, "payment__booking", seen), "payment__booking__psychologist", "amount_paise"
    ):
        found[who].given_back_paise += paise


def _count_called_off(found: dict[int | None, Numbers], rows: QuerySet[Booking]) -> None:
    counted = {name: Count("pk", filter=Q(reason__in=reasons)) for name, reasons in _CALLED_OFF.items()}
    told = rows.filter(reason__in=[reason for reasons in _CALLED_OFF.values() for reason in reasons])
    for who, *counts in told.order_by().values_list("psychologist").annotate(**counted):
        for name, count in zip(_CALLED_OFF, counts, strict=True):
            setattr(found[who], name, count)


def _sums(rows: QuerySet[Any], who: str, paise: str) -> Iterable[tuple[int | None, int]]:
    found: Iterable[tuple[int | None, int]] = rows.order_by().values_list(who).annotate(sum=Sum(paise))
    return found


def named(found: dict[int | None, Numbers]) -> list[Line]:
    """In the order of their names."""
    names = Psychologist.objects.filter(pk__in=[pk for pk in found if pk is not None]).order_by("full_name", "pk")
    told = [Line(pk, name, found[pk]) for pk, name in names.values_list("pk", "full_name")]
    return [*told, Line(None, "", found[None])] if None in found else told
