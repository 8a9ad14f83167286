"""A month in numbers and charts, as the front page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from backend.bookings import kept_sums
from backend.bookings.models import Booking, Outcome
from backend.core.formatting import money, practice_zone, short_span
from backend.desk.reports.charts import Bars, Columns, bars, columns
from backend.reports.monthly_report import (
    ANSWERED_WITHIN,
    MonthlyReport,
    MonthlySums,
    read_sums,
    report_of,
)

SHOWN = 12  # psychologists or sponsors, the busiest first


@dataclass(frozen=True)
class Figure:
    """One number with what it counts."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class MonthView:
    """What the template shows; months as the address of the page names them."""

    title: str
    as_of: str  # when all of it was counted; empty: now
    previous: str
    following: str  # empty for the month that is not over
    figures: list[Figure]
    columns: list[Columns]
    bars: list[Bars]


def month_view(seen: QuerySet[Booking], first_day: date, *, now: datetime) -> MonthView:
    """Of the bookings `seen`, in the month that begins with `first_day`."""
    sums, counted_at = _sums(seen, first_day, now=now)
    found = report_of(sums, first_day)
    following = (first_day + timedelta(days=31)).replace(day=1)
    return MonthView(
        title=f"{first_day:%B %Y}",
        as_of=kept_sums.clock(counted_at),
        previous=f"{first_day - timedelta(days=1):%Y-%m}",
        following=f"{following:%Y-%m}" if following <= now.astimezone(practice_zone()).date() else "",
        figures=_figures(found),
        columns=[
            columns("Requests a day", ((day, found.requests[day]) for day in found.days), str),
            columns("Paid a day", ((day, found.paid_paise[day]) for day in found.days), money),
        ],
        bars=[
            bars("Time to answer", _answers(found)),
            bars("Sessions by psychologist", _sessions(found)),
            bars("Sessions by sponsor", ((name, n, 0, str(n)) for name, n in found.sponsored.most_common(SHOWN))),
        ],
    )


def _sums(seen: QuerySet[Booking], first_day: date, *, now: datetime) -> tuple[MonthlySums, datetime | None]:
    """Those of all bookings of a large practice are kept."""
    if seen.query.where:
        return read_sums(seen, first_day, now=now), None
    said, counted_at = kept_sums.kept(
        f"month {first_day:%Y-%m}",
        lambda: read_sums(seen, first_day, now=now).as_json(),
        is_large=lambda sums: sum(sums["requests"].values()) >= kept_sums.MANY,
        now=now,
    )
    return MonthlySums.of_json(said), counted_at


def _figures(found: MonthlyReport) -> list[Figure]:
    over = found.outcomes.total()
    missed = found.outcomes[Outcome.NO_SHOW]
    median = "none yet" if found.median_answer is None else short_span(found.median_answer)
    paid, back = found.paid_paise.total(), found.given_back_paise
    return [
        Figure("Requests", str(found.requests.total()), f"{found.unanswered} not answered" if found.requests else ""),
        Figure("Time to answer", median, "half were answered sooner" if found.median_answer else ""),
        Figure("Paid", money(paid), f"{money(back)} given back" if back else ""),
        Figure("Sessions held", str(over), f"{found.outcomes[Outcome.UNRECORDED]} without an outcome" if over else ""),
        Figure("Did not come", str(missed), f"{100 * missed / over:.0f} % of sessions held" if over else ""),
    ]


def _answers(found: MonthlyReport) -> list[tuple[str, int, int, str]]:
    names = [f"within {short_span(most)}" for most in ANSWERED_WITHIN] + ["later"]
    return [(name, n, 0, str(n)) for name, n in zip(names, found.answered_within, strict=True)]


def _sessions(found: MonthlyReport) -> list[tuple[str, int, int, str]]:
    rows = ((name, n, found.no_shows[name]) for name, n in found.sessions.most_common(SHOWN))
    return [(name, n, missed, f"{n}, {missed} not attended" if missed else str(n)) for name, n, missed in rows]
