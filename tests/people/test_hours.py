"""The arithmetic of working hours, also against a reference that looks at every minute of the clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.people import hours
from backend.people.hours import Clock, HoursRule, Opening, Span

pytestmark = pytest.mark.sqlite_only

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
NEW_YORK, LONDON, KOLKATA = (ZoneInfo(name) for name in ("America/New_York", "Europe/London", "Asia/Kolkata"))
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clocks change by half an hour
CHANGES = {  # the days on which clocks go forward and back
    NEW_YORK: (date(2026, 3, 8), date(2026, 11, 1)),
    LONDON: (date(2026, 3, 29), date(2026, 10, 25)),
    LORD_HOWE: (date(2026, 10, 4), date(2026, 4, 5)),
    KOLKATA: (date(2026, 3, 8), date(2026, 11, 1)),
}


def weekly(weekday: int, starts: str, ends: str) -> HoursRule:
    return HoursRule(weekday, None, time.fromisoformat(starts), time.fromisoformat(ends), "ONLINE", None)


def of_day(day: date, starts: str, ends: str, zone: ZoneInfo) -> list[str]:
    """The hours of one day, as UTC reads."""
    found = hours.openings([weekly(day.weekday(), starts, ends)], Clock(zone), day, day)
    return [f"{it.start:%d %H:%M} {it.end:%d %H:%M}" for it in found]


# -- days when clocks change -------------------------------------------------------------------------------------------


def test_hours_of_an_ordinary_day_are_its_local_times() -> None:
    assert of_day(date(2026, 7, 6), "09:00", "17:30", NEW_YORK) == ["06 13:00 06 21:30"]
    assert of_day(date(2026, 7, 6), "09:00", "17:30", LONDON) == ["06 08:00 06 16:30"]
    assert of_day(date(2026, 7, 6), "09:00", "17:30", KOLKATA) == ["06 03:30 06 12:00"]


def test_midnight_as_the_end_is_the_end_of_the_day() -> None:
    assert of_day(date(2026, 7, 6), "18:00", "00:00", LONDON) == ["06 17:00 06 23:00"]
    assert of_day(date(2026, 7, 6), "00:00", "00:00", LONDON) == ["05 23:00 06 23:00"]


@pytest.mark.parametrize(
    ("starts", "ends", "found"),
    [
        ("01:00", "04:00", ["08 06:00 08 08:00"]),  # two hours, for 02:00 to 03:00 is skipped
        ("02:30", "04:00", ["08 07:00 08 08:00"]),  # from the moment of the change
        ("01:00", "02:30", ["08 06:00 08 07:00"]),  # until it
        ("02:15", "02:45", []),  # there is no such time that day
    ],
)
def test_a_time_that_is_skipped_means_the_moment_of_the_change(starts: str, ends: str, found: list[str]) -> None:
    assert of_day(date(2026, 3, 8), starts, ends, NEW_YORK) == found


@pytest.mark.parametrize(
    ("starts", "ends", "found"),
    [
        ("00:00", "03:00", ["01 04:00 01 08:00"]),  # four hours
        ("01:00", "02:00", ["01 05:00 01 07:00"]),  # both of them
        ("01:30", "03:00", ["01 05:30 01 08:00"]),  # from its first coming
        ("00:30", "01:30", ["01 04:30 01 05:30"]),  # until its first coming
    ],
)
def test_a_time_that_comes_twice_means_its_first_coming(starts: str, ends: str, found: list[str]) -> None:
    assert of_day(date(2026, 11, 1), starts, ends, NEW_YORK) == found


def test_london_changes_three_weeks_after_new_york() -> None:
    assert of_day(date(2026, 3, 22), "01:00", "03:00", LONDON) == ["22 01:00 22 03:00"]
    assert of_day(date(2026, 3, 29), "01:00", "03:00", LONDON) == ["29 01:00 29 02:00"]
    assert of_day(date(2026, 10, 25), "01:00", "03:00", LONDON) == ["25 00:00 25 03:00"]


def test_clocks_that_change_by_half_an_hour_are_no_exception() -> None:
    assert of_day(date(2026, 10, 4), "02:15", "03:00", LORD_HOWE) == ["03 15:30 03 16:00"]


def test_a_midnight_that_is_skipped_is_the_moment_of_the_change() -> None:
    beirut = ZoneInfo("Asia/Beirut")  # at 00:00 of 29 March 2026 it becomes 01:00
    assert Clock(beirut).instant(date(2026, 3, 29), time.min) == datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert of_day(date(2026, 3, 28), "20:00", "00:00", beirut) == ["28 18:00 28 22:00"]


zones = st.sampled_from(list(CHANGES))
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45, 59]))


@st.composite
def days_near_a_change(draw: st.DrawFn) -> tuple[ZoneInfo, date]:
    zone = draw(zones)
    return zone, draw(st.sampled_from(CHANGES[zone])) + draw(st.integers(-1, 1)) * DAY


@given(days_near_a_change(), times)
def test_an_instant_is_the_first_minute_that_shows_the_time_or_later(where: tuple[ZoneInfo, date], at: time) -> None:
    zone, day = where
    wall = datetime.combine(day, at)
    minute = datetime.combine(day, time.min, tzinfo=UTC) - DAY
    while minute.astimezone(zone).replace(tzinfo=None) < wall:
        minute += MINUTE
    assert Clock(zone).instant(day, at) == minute


@given(days_near_a_change(), st.lists(times, min_size=4, max_size=4, unique=True))
def test_hours_that_do_not_overlap_on_paper_never_overlap(where: tuple[ZoneInfo, date], walls: list[time]) -> None:
    zone, day = where
    clock = Clock(zone)
    instants = [clock.instant(day, at) for at in sorted(walls)]
    assert instants == sorted(instants)


# -- where sessions fit ------------------------------------------------------------------------------------------------

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def found_starts(
    opening: Span, claims: Iterable[Span], off: Iterable[Span], *, length: int, pause: int, step: int
) -> list[datetime]:
    """Where sessions can start in one span of hours; lengths are minutes."""
    claimed, away = (hours.blocked([a for a, _ in spans], [b for _, b in spans]) for spans in (list(claims), list(off)))
    grid = hours.Grid(length=length * MINUTE, pause=pause * MINUTE, step=step * MINUTE)
    found = list(hours.free_places([Opening(*opening, "ONLINE", None)], grid, claims=claimed, off=away))
    assert all(end - start == length * MINUTE for _, each in found for start, end in each)
    return [start for _, each in found for start, _ in each]


def fit(opening: tuple[int, int], *, claims: Iterable[Span] = (), off: Iterable[Span] = ()) -> list[str]:
    """Starts of sessions of 60 minutes with a pause of 15 within hours that are minutes after nine."""
    found = found_starts(span(*opening), claims, off, length=60, pause=15, step=75)
    return [f"{at:%H:%M}" for at in found]


def after(minutes: int) -> datetime:
    return NINE + minutes * MINUTE


def span(start: int, end: int) -> Span:
    return after(start), after(end)


def test_starts_stand_a_session_and_a_pause_apart_and_sessions_end_within_the_hours() -> None:
    assert fit((0, 240)) == ["09:00", "10:15", "11:30"]
    assert fit((0, 210)) == ["09:00", "10:15", "11:30"]
    assert fit((0, 209)) == ["09:00", "10:15"]
    assert fit((0, 59)) == []


def test_a_claim_blocks_what_overlaps_it_pauses_included() -> None:
    assert fit((0, 240), claims=[span(75, 150)]) == ["09:00", "11:30"]
    assert fit((0, 240), claims=[span(74, 75)]) == ["10:15", "11:30"]  # within the pause of the first
    assert fit((0, 240), claims=[span(150, 151)]) == ["09:00", "10:15"]
    assert fit((0, 240), claims=[span(-60, 0), span(240, 300)]) == ["09:00", "10:15", "11:30"]


def test_a_pause_may_reach_into_time_off_but_not_a_session() -> None:
    assert fit((0, 240), off=[span(60, 75)]) == ["09:00", "10:15", "11:30"]
    assert fit((0, 240), off=[span(59, 60)]) == ["10:15", "11:30"]


def test_spans_that_lie_over_one_another_block_together() -> None:
    assert fit((0, 240), claims=[span(0, 10)], off=[span(-600, 80), span(5, 20)]) == ["11:30"]


minutes = st.integers(-60, 600)


@st.composite
def spans_of_minutes(draw: st.DrawFn) -> Span:
    start = draw(minutes)
    return span(start, start + draw(st.integers(1, 200)))


@given(
    opening=st.tuples(minutes, st.integers(1, 600)),
    claims=st.lists(spans_of_minutes(), max_size=5),
    off=st.lists(spans_of_minutes(), max_size=3),
    length=st.integers(1, 120),
    pause=st.integers(0, 45),
    step=st.integers(1, 100),
)
def test_starts_are_those_that_a_look_at_every_minute_finds(
    opening: tuple[int, int], claims: list[Span], off: list[Span], length: int, pause: int, step: int
) -> None:
    start, end = span(opening[0], sum(opening))
    found = found_starts((start, end), claims, off, length=length, pause=pause, step=step)
    expected = []
    for number in range(0, opening[1], step):
        at = start + number * MINUTE
        session = [at + n * MINUTE for n in range(length)]
        with_pause = [at + n * MINUTE for n in range(length + pause)]
        if (
            session[-1] < end
            and not any(first <= minute < last for first, last in claims for minute in with_pause)
            and not any(first <= minute < last for first, last in off for minute in session)
        ):
            expected.append(at)
    assert found == expected


def test_hours_that_touch_cover_what_crosses_from_one_to_the_next() -> None:
    touching = [Opening(*span(0, 60), "ONLINE", None), Opening(*span(60, 120), "ONLINE", None)]
    apart = [Opening(*span(0, 60), "ONLINE", None), Opening(*span(61, 120), "ONLINE", None)]
    assert hours.covered(span(30, 90), touching)
    assert hours.covered(span(0, 120), touching)
    assert not hours.covered(span(0, 121), touching)
    assert not hours.covered(span(-1, 30), touching)
    assert not hours.covered(span(30, 90), apart)
    assert not hours.covered(span(30, 90), [])
