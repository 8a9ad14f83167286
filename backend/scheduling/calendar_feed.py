"""What a calendar shows of a span of time: sessions, wished times, and when nobody works. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Case, Count, ExpressionWrapper, Q, QuerySet, Value, When
from django.db.models.functions import TruncDate

from backend.bookings import policy
from backend.bookings.guarantees import psychologist_of
from backend.bookings.machine import HOLDS_SLOT, TAKES_PLACE, State
from backend.bookings.models import Booking, ClosedDay, Outcome
from backend.bookings.payment_status import takes_at_desk
from backend.core import instant_text
from backend.core.errors import required
from backend.core.formatting import practice_zone
from backend.core.instant_text import InstantText
from backend.people import hours
from backend.people.hours import Clock, HoursRule, Opening, Span
from backend.people.models import Psychologist, TimeOff, WorkingHours

STATES = (*HOLDS_SLOT, State.COMPLETED)  # with a session; and PENDING, whose wish is shown
_HAS_ASKED = ExpressionWrapper(Q(cancellation_requested_at__isnull=False), BooleanField())
_OWED = takes_at_desk()
_SESSION = (
    "pk", "acknowledgement_id", "full_name", "state", "mode", "psychologist_id", InstantText("slot_start"),
    InstantText("slot_end"), "ledger_sequence", _HAS_ASKED, "outcome",
)  # fmt: skip
MANY = 3_000  # sessions of a month, beyond which nobody finds one in it: 70 a day
SHOWN_WHOLE = timedelta(days=8)  # a span up to this long shows each
DAY_WITHOUT_HOURS = (time(9), time(20))  # what a calendar shows while nobody's hours are known
_RULE = ("weekday", "day", "starts_at", "ends_at", "offers", "location_id")


@dataclass(frozen=True)
class CalendarFilter:
    """Half-open `[start, end)`, aware; what is empty does not narrow."""

    start: datetime
    end: datetime
    psychologist_ids: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    mode: str = ""


class CalendarSession(NamedTuple):
    """One booking in the calendar; a wish when its state is PENDING."""

    booking_id: int
    acknowledgement_id: str
    full_name: str
    state: str
    mode: str
    psychologist_id: int | None
    start: str  # on the practice's clock, as `wall_clock` writes it
    end: str
    ledger_sequence: int  # what a decision made from the calendar was made on
    asked_to_cancel: bool
    outcome: str
    clicks: int  # how many outcomes wait for one: that somebody came, from the start on that nobody did too
    owed_paise: int  # what staff may record as paid; 0 for nothing


class ShadeKind(StrEnum):
    """Why a time is shaded."""

    OUTSIDE = "outside hours"
    AWAY = "away"
    CLOSED = "closed"


class Shade(NamedTuple):
    """A time in which a psychologist, or for None everybody shown, gives no sessions."""

    psychologist_id: int | None
    start: datetime
    end: datetime
    kind: ShadeKind
    note: str


def wall_clock() -> Callable[[datetime], str]:
    """Writes instants as a calendar takes them, `2026-11-23T18:00:00`: the practice's time, wherever the browser is."""
    zone = practice_zone()
    return lambda at: at.astimezone(zone).isoformat()[:19]


def sessions(seen: QuerySet[Booking], shown: CalendarFilter, *, now: datetime) -> list[CalendarSession]:
    """The sessions of the bookings `seen` that touch the span, and the wishes in it. Two queries at most."""
    narrowed = seen.filter(**({"mode": shown.mode} if shown.mode else {})).order_by()
    states = [state for state in STATES if not shown.states or state in shown.states]
    found: list[CalendarSession] = []
    if states:
        held = _held(narrowed, shown, states)
        clock = wall_clock()
        at = cache(
            lambda written: clock(instant_text.parse_instant(written))
        )  # a month's thousands share a few hundred
        rows = held.values_list(*_SESSION, _clicks(now), _OWED)
        found += [CalendarSession._make((*row[:6], at(row[6]), at(row[7]), *row[8:])) for row in rows]
    if not shown.states or State.PENDING in shown.states:
        found += _wishes(narrowed, shown)
    return found


def _held(narrowed: QuerySet[Booking], shown: CalendarFilter, states: list[State]) -> QuerySet[Booking]:
    held = narrowed.filter(_whose("psychologist", shown), state__in=states, slot_start__lt=shown.end)
    return held.filter(slot_start__gt=shown.start - policy.SESSION_LONGEST, slot_end__gt=shown.start)


def day_sums(seen: QuerySet[Booking], shown: CalendarFilter) -> list[tuple[date, int]]:
    """How many sessions begin on each day, of a span that has thousands; empty where each of them can be shown."""
    states = [state for state in STATES if not shown.states or state in shown.states]
    narrowed = seen.filter(**({"mode": shown.mode} if shown.mode else {})).order_by()
    held = _held(narrowed, shown, states)
    if not states or shown.end - shown.start <= SHOWN_WHOLE or held[: MANY + 1].count() <= MANY:
        return []
    days = held.values_list(TruncDate("slot_start", tzinfo=practice_zone()))
    return sorted(days.annotate(sessions=Count("*")))


def _wishes(narrowed: QuerySet[Booking], shown: CalendarFilter) -> Iterator[CalendarSession]:
    rows = narrowed.filter(
        _whose("preferred_psychologist", shown),
        state=State.PENDING,
        preferred_slot_start__gte=shown.start,
        preferred_slot_start__lt=shown.end,
    ).values_list(
        "pk", "acknowledgement_id", "full_name", "mode", "preferred_psychologist_id", "preferred_slot_start",
        "ledger_sequence", _HAS_ASKED, "outcome",
    )  # fmt: skip
    at = wall_clock()
    for pk, name, who, mode, psychologist_id, wished, sequence, has_asked, outcome in rows:
        wish = required(wished, "preferred_slot_start")
        start, end = at(wish), at(wish + policy.SESSION_LENGTH)
        yield CalendarSession(
            pk, name, who, State.PENDING, mode, psychologist_id, start, end, sequence, has_asked, outcome, 0, 0
        )


def _clicks(now: datetime) -> Case:
    """As `lifecycle.front_desk.recordable` says of one."""
    waits = Q(outcome=Outcome.UNRECORDED, state__in=TAKES_PLACE, slot_end__gt=now - policy.OUTCOME_OPEN_FOR)
    return Case(
        When(waits & Q(slot_start__lte=now), then=Value(2)),
        When(waits & Q(slot_start__lte=now + policy.ARRIVAL_OPENS), then=Value(1)),
        default=Value(0),
    )


def _whose(field: str, shown: CalendarFilter) -> Q:
    return Q(**{f"{field}__in": shown.psychologist_ids}) if shown.psychologist_ids else Q()


# -- when nobody works -------------------------------------------------------------------------------------------------


def shades(shown: CalendarFilter, *, by_psychologist: bool) -> list[Shade]:
    """What is shaded: of each psychologist, or where their columns lie over one another of all together.

    Together, a time counts as outside hours when none of those shown works; somebody without hours works always. Time
    off is then told for a single psychologist alone. Three queries.
    """
    people, off = _people(shown), _time_off(shown)
    found = list(_closed(shown))
    if by_psychologist:
        for psychologist_id, openings in people.items():
            found += _outside(psychologist_id, openings, shown)
    elif people and all(openings is not None for openings in people.values()):
        found += _outside(None, [opening for openings in people.values() for opening in openings or ()], shown)
    if by_psychologist or len(people) == 1:
        found += off
    return found


def _people(shown: CalendarFilter) -> dict[int, list[Opening] | None]:
    """The openings of each psychologist shown; None for who has no hours at all."""
    active = Q(pk__in=shown.psychologist_ids) if shown.psychologist_ids else Q(is_active=True)
    rows = Psychologist.objects.filter(active).order_by()
    rules: dict[int, list[HoursRule]] = {}
    zones: dict[int, str] = {}
    for pk, zone, *rule in rows.values_list("pk", "time_zone", *(f"working_hours__{name}" for name in _RULE)):
        zones[pk] = zone
        if rule[2] is not None:  # the outer join's empty row
            rules.setdefault(pk, []).append(HoursRule(*rule))
    clocks = {zone: Clock(ZoneInfo(zone) if zone else practice_zone()) for zone in set(zones.values())}
    return {pk: _openings(rules.get(pk), clocks[zone], shown) for pk, zone in zones.items()}


def _openings(rules: list[HoursRule] | None, clock: Clock, shown: CalendarFilter) -> list[Opening] | None:
    if rules is None:
        return None
    return hours.openings(rules, clock, clock.date(shown.start), clock.date(shown.end))


def _outside(psychologist_id: int | None, openings: Iterable[Opening] | None, shown: CalendarFilter) -> Iterator[Shade]:
    """What `openings` leave of the span."""
    if openings is None:
        return
    reached = shown.start
    for start, end in sorted((opening.start, opening.end) for opening in openings):
        if start > reached and reached < shown.end:
            yield Shade(psychologist_id, reached, min(start, shown.end), ShadeKind.OUTSIDE, "")
        reached = max(reached, end)
    if reached < shown.end:
        yield Shade(psychologist_id, reached, shown.end, ShadeKind.OUTSIDE, "")


def _time_off(shown: CalendarFilter) -> list[Shade]:
    rows = TimeOff.objects.filter(_whose("psychologist", shown), starts_at__lt=shown.end, ends_at__gt=shown.start)
    return [
        Shade(who, start, end, ShadeKind.AWAY, note)
        for who, start, end, note in rows.values_list("psychologist_id", "starts_at", "ends_at", "note")
    ]


def _closed(shown: CalendarFilter) -> Iterator[Shade]:
    zone = practice_zone()
    clock = Clock(zone)
    rows = list(ClosedDay.objects.values_list("weekday", "date", "note"))
    first, last = clock.date(shown.start), clock.date(shown.end - timedelta(seconds=1))
    for day in hours.days(first, last):
        note = next((note for weekday, date, note in rows if date == day or weekday == day.weekday()), None)
        if note is not None:
            span: Span = clock.instant(day, time.min), clock.instant(day + timedelta(days=1), time.min)
            yield Shade(None, *span, ShadeKind.CLOSED, note)


def practice_hours() -> tuple[str, str]:
    """From when to when somebody works on any day of the week, in whole hours: `09:00`, `21:00`."""
    weekly = WorkingHours.objects.filter(weekday__isnull=False, psychologist__is_active=True)
    spans = list(weekly.order_by().values_list("starts_at", "ends_at").distinct()) or [DAY_WITHOUT_HOURS]
    first = min(start.hour for start, _ in spans)
    last = max((end.hour + bool(end.minute)) or 24 for _, end in spans)
    return f"{first:02d}:00", f"{last:02d}:00"


# -- a day on paper ----------------------------------------------------------------------------------------------------


def day_list(seen: QuerySet[Booking], shown: CalendarFilter) -> list[tuple[Psychologist, list[Booking]]]:
    """The sessions that begin in the span, by psychologist and time; who has none is left out. One query."""
    rows = seen.filter(
        _whose("psychologist", shown), state__in=STATES, slot_start__gte=shown.start, slot_start__lt=shown.end
    )
    rows = rows.select_related("psychologist").defer("user_message").annotate(owed_paise=_OWED)
    found: dict[int, tuple[Psychologist, list[Booking]]] = {}
    for booking in rows.order_by("psychologist__full_name", "psychologist_id", "slot_start"):
        psychologist = psychologist_of(booking)
        found.setdefault(psychologist.pk, (psychologist, []))[1].append(booking)
    return list(found.values())
