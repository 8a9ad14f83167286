"""One month of the practice in numbers: requests, how soon they were answered, money, and what became of sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median_high
from typing import Any, NamedTuple

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import TruncDate

from backend.bookings import actors
from backend.bookings.access import about_seen
from backend.bookings.intents import Intent
from backend.bookings.machine import TAKES_PLACE, State
from backend.bookings.models import Booking, LedgerEntry, Outcome
from backend.core import instant_text
from backend.core.formatting import practice_zone
from backend.core.instant_text import InstantText
from backend.payments.models import Payment, PaymentState, Refund, RefundState
from backend.people.models import Corporate, Psychologist

_DAY = timedelta(days=1)
ANSWERED_WITHIN = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24), timedelta(hours=72))


@dataclass(frozen=True)
class MonthlyReport:
    """Days are the practice's; a session counts in the month in which it takes place."""

    first_day: date
    days: list[date]
    requests: Counter[date]  # whose address was proved, or taken by us
    answered_within: list[int]  # by ANSWERED_WITHIN, and last those that took longer
    unanswered: int
    median_answer: timedelta | None
    paid_paise: Counter[date]
    given_back_paise: int  # made in the month
    outcomes: Counter[str]  # of sessions that are over
    sessions: Counter[str]  # confirmed or held, by psychologist
    no_shows: Counter[str]  # by psychologist
    sponsored: Counter[str]  # by sponsor


class Sessions(NamedTuple):
    """How many sessions share all this."""

    psychologist_id: int | None
    sponsor_id: int | None
    outcome: str
    is_over: bool
    number: int


@dataclass(frozen=True)
class MonthlySums:
    """What is summed up of thousands of rows, without names."""

    requests: Counter[date]
    answered_within: list[int]
    unanswered: int
    median_answer: timedelta | None
    paid_paise: Counter[date]
    given_back_paise: int
    sessions: list[Sessions]

    def as_json(self) -> dict[str, Any]:
        median = self.median_answer
        return vars(self) | {
            "requests": {str(day): count for day, count in self.requests.items()},
            "median_answer": None if median is None else median.total_seconds(),
            "paid_paise": {str(day): paise for day, paise in self.paid_paise.items()},
        }

    @classmethod
    def of_json(cls, said: dict[str, Any]) -> MonthlySums:
        by_day = {
            name: Counter({date.fromisoformat(day): count for day, count in said[name].items()})
            for name in ("requests", "paid_paise")
        }
        seconds = said["median_answer"]
        median = None if seconds is None else timedelta(seconds=seconds)
        sessions = [Sessions(*row) for row in said["sessions"]]
        return cls(**said | by_day | {"median_answer": median, "sessions": sessions})


def read_monthly_report(seen: QuerySet[Booking], first_day: date, *, now: datetime) -> MonthlyReport:
    """The month's numbers, over the bookings `seen`. Six queries at most."""
    return report_of(read_sums(seen, first_day, now=now), first_day)


def read_sums(seen: QuerySet[Booking], first_day: date, *, now: datetime) -> MonthlySums:
    """Four queries."""
    start, end = (datetime.combine(day, time(), tzinfo=practice_zone()) for day in (first_day, _next(first_day)))
    requests, answers = _requests(seen, start, end)
    spans = sorted(at - asked for asked, at in answers if at is not None)
    paid = Payment.objects.filter(state=PaymentState.CAPTURED, captured_at__gte=start, captured_at__lt=end)
    refunds = Refund.objects.filter(settled_at__gte=start, settled_at__lt=end, state=RefundState.DONE)
    return MonthlySums(
        requests=requests,
        answered_within=_by_span(spans),
        unanswered=sum(at is None for _, at in answers),
        median_answer=median_high(spans) if spans else None,
        paid_paise=_by_day(about_seen(paid, "booking", seen)),
        given_back_paise=about_seen(refunds, "payment__booking", seen).aggregate(sum=Sum("amount_paise"))["sum"] or 0,
        sessions=_sessions(seen, start, end, now),
    )


def report_of(sums: MonthlySums, first_day: date) -> MonthlyReport:
    """With the names as they are today. Two queries at most."""
    people, sponsors = (
        dict(model.objects.filter(pk__in=ids).values_list("pk", name)) if ids else {}
        for model, name, ids in (
            (Psychologist, "full_name", {row.psychologist_id for row in sums.sessions if row.psychologist_id}),
            (Corporate, "name", {row.sponsor_id for row in sums.sessions if row.sponsor_id}),
        )
    )
    named = [(people.get(row.psychologist_id or 0, ""), row) for row in sums.sessions]
    return MonthlyReport(
        first_day=first_day,
        days=[first_day + n * _DAY for n in range((_next(first_day) - first_day).days)],
        requests=sums.requests,
        answered_within=sums.answered_within,
        unanswered=sums.unanswered,
        median_answer=sums.median_answer,
        paid_paise=sums.paid_paise,
        given_back_paise=sums.given_back_paise,
        outcomes=_summed((row.outcome, row.number) for row in sums.sessions if row.is_over),
        sessions=_summed((who, row.number) for who, row in named),
        no_shows=_summed((who, row.number) for who, row in named if row.outcome == Outcome.NO_SHOW),
        sponsored=_summed((sponsors[row.sponsor_id], row.number) for row in sums.sessions if row.sponsor_id),
    )


def _next(first_day: date) -> date:
    """The first day of the next month."""
    return (first_day + 31 * _DAY).replace(day=1)


def _requests(
    seen: QuerySet[Booking], start: datetime, end: datetime
) -> tuple[Counter[date], list[tuple[datetime, datetime | None]]]:
    """By day, and of each when it was asked and answered; what the visitor or time ended was not answered.

    An answer that was undone was told to nobody. Nothing comes between the two, so its row is the next one.
    """
    undone = LedgerEntry.objects.filter(
        booking=OuterRef("booking"), sequence=OuterRef("sequence") + 1, intent=Intent.UNDO_DECISION
    )
    decided = LedgerEntry.objects.filter(
        Q(target__in=(State.APPROVED, State.CONFIRMED, State.REJECTED)) | actors.IS_STAFF,
        booking=OuterRef("pk"),
        source=State.PENDING,
    ).exclude(target=State.PENDING)
    decided = decided.exclude(Exists(undone))
    first = decided.order_by().values("booking").annotate(first=Min("at")).values("first")
    rows = seen.filter(verified_at__gte=start, verified_at__lt=end).annotate(answered_at=Subquery(first)).order_by()
    found = [
        (instant_text.parse_instant(asked), instant_text.parse_instant(answered) if answered else None)
        for asked, answered in rows.values_list(InstantText("verified_at"), InstantText("answered_at"))
    ]
    zone = practice_zone()
    return Counter(asked.astimezone(zone).date() for asked, _ in found), found


def _sessions(seen: QuerySet[Booking], start: datetime, end: datetime, now: datetime) -> list[Sessions]:
    held = seen.filter(slot_start__gte=start, slot_start__lt=end, state__in=TAKES_PLACE)
    is_over = ExpressionWrapper(Q(slot_end__lte=now), BooleanField())
    alike = held.order_by().values_list("psychologist_id", "corporate_id", "outcome", is_over)
    return [Sessions(*row) for row in alike.annotate(count=Count("pk"))]


def _by_span(spans: Iterable[timedelta]) -> list[int]:
    found = [0] * (len(ANSWERED_WITHIN) + 1)
    for span in spans:
        found[next((n for n, most in enumerate(ANSWERED_WITHIN) if span <= most), len(ANSWERED_WITHIN))] += 1
    return found


def _by_day(paid: QuerySet[Payment]) -> Counter[date]:
    days = paid.order_by().values_list(TruncDate("captured_at", tzinfo=practice_zone()))
    return Counter(dict(days.annotate(sum=Sum("captured_paise"))))


def _summed(rows: Iterable[tuple[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, count in rows:
        found[name] += count
    return found
