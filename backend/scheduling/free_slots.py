"""Which slots are free: the one answer for visitors, suggestions, alternatives and moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import CharField, F, Q, QuerySet, Value

from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, SlotClaim
from backend.core import instant_text
from backend.core.compiled_queries import Given, compiled
from backend.core.formatting import practice_zone
from backend.people import hours
from backend.people.hours import Blocked, Clock, Grid, HoursRule, Opening, Span
from backend.people.models import HoursMode, Psychologist, TimeOff, WorkingHours

_DAY = timedelta(days=1)
_CLAIM_LONGEST = 2 * _DAY  # more than the longest session and pause; bounds the index's search from below
_TERMS = ("time_zone", "session_minutes", "buffer_minutes", "notice_hours", "horizon_days")
_RULE = ("weekday", "day", "starts_at", "ends_at", "offers", "location_id")


class FreeSlot(NamedTuple):
    """A session that could be held, half-open `[start, end)`, in UTC. `location_id` is of the hours, where they say."""

    start: datetime
    end: datetime
    psychologist_id: int
    offers: str  # one of people's Offer
    location_id: int | None


@dataclass(frozen=True)
class SlotSearch:
    """Slots that begin in `[start, end)`, aware instants; what is empty does not narrow.

    `for_booking_id` names a booking whose own claim and wish are no obstacle.
    """

    start: datetime
    end: datetime
    mode: str = ""
    psychologist_ids: tuple[int, ...] = ()
    specialization: str = ""
    language: str = ""
    for_booking_id: int | None = None
    despite_notice: bool = False  # staff may settle what is nearer than anybody else is offered


@dataclass(frozen=True)
class SchedulingTerms:
    """How long a psychologist's sessions and pauses are, and how soon and how far ahead they are offered."""

    zone: ZoneInfo
    length: timedelta
    buffer: timedelta
    notice: timedelta
    horizon: timedelta

    def grid(self) -> Grid:
        """Starts a session and its pause apart."""
        step = max(self.length + self.buffer, policy.SLOT_STEP_LEAST)
        return Grid(length=self.length, pause=self.buffer, step=step)


def terms_of(psychologist: Psychologist) -> SchedulingTerms:
    """The psychologist's own, and the practice's where they have none."""
    return _terms(*(getattr(psychologist, name) for name in _TERMS))


def free_slots(search: SlotSearch, *, now: datetime) -> list[FreeSlot]:
    """Every slot that is free as of now, by start and psychologist. Three queries, however many there are.

    Starts stand on a grid: from the start of each span of working hours, a session and its pause apart. A session ends
    within its hours; the pause after it must be clear of other sessions, and may reach into time off. A psychologist
    without hours offers nothing: there staff settle the time.
    """
    people = _people(search)
    if not people or search.start >= search.end:
        return []
    busy, closed = _busy(list(people), search), _closed(search)
    found: list[FreeSlot] = []
    clocks: dict[str, Clock] = {}
    grids: dict[tuple[timedelta, timedelta], Grid] = {}
    for psychologist_id, (terms, rules) in people.items():
        clock = clocks.setdefault(terms.zone.key, Clock(terms.zone))
        soonest = now if search.despite_notice else now + terms.notice
        first = max(search.start, soonest).astimezone(UTC)  # what each start is held against: no zone to ask
        end = min(search.end, now + terms.horizon).astimezone(UTC)
        if first < end:
            openings = hours.openings(rules, clock, clock.date(first), clock.date(end))
            grid = grids.setdefault((terms.length, terms.buffer), terms.grid())
            claims, off = _in_the_way(psychologist_id, busy, closed, terms)
            free = hours.free_places(openings, grid, claims=claims, off=off)
            slots = _of_one(psychologist_id, free, first, end)
            if any(later.start < earlier.end for earlier, later in pairwise(openings)):
                slots = list({slot.start: slot for slot in slots}.values())  # extra hours over weekly ones
            found += slots
    found.sort(key=attrgetter("start"))  # stable: of one start the psychologists stay in order
    return found


def _of_one(
    psychologist_id: int, free: Iterable[tuple[Opening, list[Span]]], first: datetime, end: datetime
) -> list[FreeSlot]:
    """Those that begin in `[first, end)`."""
    found: list[FreeSlot] = []
    for (_, _, offers, location_id), spans in free:
        found += [
            tuple.__new__(FreeSlot, (*span, psychologist_id, offers, location_id))  # half the price of FreeSlot(…)
            for span in spans
            if first <= span[0] < end
        ]
    return found


# -- one time that somebody chose --------------------------------------------------------------------------------------


class Fit(NamedTuple):
    """How a time lies to a psychologist's hours: outside of them, or at which of their places, in person."""

    is_outside: bool
    location_id: int | None


@compiled
def _time_off() -> QuerySet[TimeOff, Any]:
    meeting = TimeOff.objects.filter(starts_at__lt=Given("end"), ends_at__gt=Given("start"))
    return meeting.filter(psychologist=Given("psychologist")).order_by().values_list("pk")[:1]


@compiled
def _hours() -> QuerySet[WorkingHours, Any]:
    return WorkingHours.objects.filter(psychologist=Given("psychologist")).values_list(*_RULE)


def fit_hours(psychologist: Psychologist, start: datetime, end: datetime, *, mode: str) -> Fit:
    """Whether the hours for this mode hold the session. Who has no hours has none to be outside of, only time off."""
    if _time_off.rows(psychologist=psychologist.pk, start=start, end=end):
        return Fit(True, None)
    rules = [HoursRule(*row) for row in _hours.rows(psychologist=psychologist.pk)]
    if not rules:
        return Fit(False, None)
    clock = Clock(terms_of(psychologist).zone)
    for_mode = (rule for rule in rules if rule.offers in (mode, HoursMode.BOTH))
    openings = hours.openings(for_mode, clock, clock.date(start), clock.date(end))
    is_closed = any(first < end and start < last for first, last in _closed(SlotSearch(start, end)))
    at = next((opening for opening in openings if opening.start <= start < opening.end), None)
    location_id = at.location_id if at is not None and mode != HoursMode.ONLINE else None
    return Fit(is_closed or not hours.covered((start, end), openings), location_id)


# -- what is in the way ------------------------------------------------------------------------------------------------


Spans = tuple[list[datetime], list[datetime]]  # starts and ends, each in any order
Busy = dict[tuple[str, int], Spans]  # by kind and psychologist
_NONE: Spans = ([], [])


def _in_the_way(
    psychologist_id: int, busy: Busy, closed: list[Span], terms: SchedulingTerms
) -> tuple[Blocked, Blocked]:
    """Claims, and time off."""
    claimed_from, claimed_until = busy.get(("claim", psychologist_id), _NONE)
    off_from, off_until = busy.get(("off", psychologist_id), _NONE)
    wishes, _ = busy.get(("wish", psychologist_id), _NONE)
    wished_until = [start + terms.length + terms.buffer for start in wishes]
    claims = hours.blocked(claimed_from + wishes, claimed_until + wished_until)
    return claims, hours.blocked(off_from + [day[0] for day in closed], off_until + [day[1] for day in closed])


def _busy(psychologist_ids: list[int], search: SlotSearch) -> Busy:
    """Claims, time off and the wishes of pending requests, by psychologist. One query."""
    first, end = search.start - _DAY, search.end + _DAY
    own = [] if search.for_booking_id is None else [search.for_booking_id]
    claims = SlotClaim.objects.filter(
        psychologist__in=psychologist_ids,
        blocked_from__range=(first - _CLAIM_LONGEST, end),
        blocked_until__gt=first,
    ).exclude(booking__in=own)
    off = TimeOff.objects.filter(psychologist__in=psychologist_ids, ends_at__gt=first, starts_at__lt=end)
    wishes = Booking.objects.filter(
        state=State.PENDING, preferred_psychologist__in=psychologist_ids, preferred_slot_start__range=(first, end)
    ).exclude(pk__in=own)
    rows = _spans(claims, "claim", "psychologist_id", "blocked_from", "blocked_until").union(
        _spans(off, "off", "psychologist_id", "starts_at", "ends_at"),
        _spans(wishes, "wish", "preferred_psychologist_id", "preferred_slot_start", "preferred_slot_start"),
        all=True,
    )
    return {
        (kind, who): (instant_text.parse_instants(starts), instant_text.parse_instants(ends))
        for kind, who, starts, ends in rows
    }


def _spans(rows: QuerySet[Any], kind: str, who: str, start: str, until: str) -> QuerySet[Any, Any]:
    grouped = (
        rows.order_by()
        .values(who)
        .annotate(starts=instant_text.InstantTexts(F(start)), ends=instant_text.InstantTexts(F(until)))
    )
    named: QuerySet[Any, Any] = grouped.values_list(Value(kind, output_field=CharField()), who, "starts", "ends")
    return named


def _closed(search: SlotSearch) -> list[Span]:
    """The days on which the practice is closed, in its own zone. One query."""
    clock = Clock(practice_zone())
    rows = list(ClosedDay.objects.values_list("weekday", "date"))
    first, last = (at.astimezone(clock.zone).date() for at in (search.start, search.end))
    weekdays = {weekday for weekday, _ in rows if weekday is not None}
    dates = {day for _, day in rows if day is not None}
    return hours.closed_days(clock, first - _DAY, last + _DAY, weekdays=weekdays, dates=dates)


# -- who works when ----------------------------------------------------------------------------------------------------


def _people(search: SlotSearch) -> dict[int, tuple[SchedulingTerms, list[HoursRule]]]:
    """The psychologists who are asked for, with their terms and hours. One query."""
    days = ((search.start - _DAY).date(), (search.end + _DAY).date())
    rows = WorkingHours.objects.filter(Q(day=None) | Q(day__range=days), psychologist__is_active=True)
    if search.mode:
        rows = rows.filter(offers__in=(search.mode, HoursMode.BOTH))
    if search.psychologist_ids:
        rows = rows.filter(psychologist__in=search.psychologist_ids)
    if search.specialization:
        rows = rows.filter(psychologist__specializations__name__iexact=search.specialization)
    if search.language:
        rows = rows.filter(psychologist__languages__name__iexact=search.language)
    names = ("psychologist_id", *(f"psychologist__{name}" for name in _TERMS), *_RULE)
    found: dict[int, tuple[SchedulingTerms, list[HoursRule]]] = {}
    for psychologist_id, *terms_and_rule in rows.order_by("psychologist_id", "pk").values_list(*names):
        if psychologist_id not in found:
            found[psychologist_id] = _terms(*terms_and_rule[: len(_TERMS)]), []
        found[psychologist_id][1].append(HoursRule(*terms_and_rule[len(_TERMS) :]))
    return found


def _terms(
    zone: str, session: int | None, buffer: int | None, notice: int | None, horizon: int | None
) -> SchedulingTerms:
    return SchedulingTerms(
        zone=ZoneInfo(zone) if zone else practice_zone(),
        length=policy.SESSION_LENGTH if session is None else timedelta(minutes=session),
        buffer=policy.SLOT_BUFFER if buffer is None else timedelta(minutes=buffer),
        notice=policy.BOOKING_NOTICE if notice is None else timedelta(hours=notice),
        horizon=policy.BOOKING_HORIZON if horizon is None else timedelta(days=horizon),
    )
