"""How people read money, times and help lines; the one home of each form."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext, gettext_noop, pgettext, pgettext_lazy

from backend.core import languages

NOTHING = "-"
# marked for translation; strftime writes the English of them
_DAYS = (
    *(gettext_noop("Monday"), gettext_noop("Tuesday"), gettext_noop("Wednesday"), gettext_noop("Thursday")),
    *(gettext_noop("Friday"), gettext_noop("Saturday"), gettext_noop("Sunday")),
)
_MONTHS = (
    *(gettext_noop("January"), gettext_noop("February"), gettext_noop("March"), gettext_noop("April")),
    *(gettext_noop("May"), gettext_noop("June"), gettext_noop("July"), gettext_noop("August")),
    *(gettext_noop("September"), gettext_noop("October"), gettext_noop("November"), gettext_noop("December")),
)
_ZONES = (pgettext_lazy("time zone", "IST"),)


def practice_zone() -> ZoneInfo:
    """The practice's time zone: what "today", "past" and "closed" mean, and how people read times."""
    return ZoneInfo(settings.PRACTICE_TIME_ZONE)


def zone_name() -> str:
    """`IST`, beside a time that somebody is about to type; `Europe/Berlin` where the name goes with the season."""
    zone = practice_zone()
    names = {f"{datetime(2000, month, 1, tzinfo=zone):%Z}" for month in (1, 7)}
    return names.pop() if len(names) == 1 else zone.key


def rupees(paise: int) -> str:
    """Integer paise as rupees with two decimals, `1500.00`."""
    return f"{'-' if paise < 0 else ''}{abs(paise) // 100}.{abs(paise) % 100:02d}"


def grouped_rupees(paise: int) -> str:
    """`1,500.00`, and `1,50,000.00` from a lakh on, as people here read sums; `rupees` is for programs."""
    if paise < 0:
        return f"-{grouped_rupees(-paise)}"
    whole, _, rest = rupees(paise).partition(".")
    above, thousands = whole[:-3], whole[-3:]
    pairs = [above[max(0, end - 2) : end] for end in range(len(above), 0, -2)]
    return ",".join([*reversed(pairs), thousands]) + f".{rest}"


def money(paise: int | None, currency: str = "INR") -> str:
    """`₹1,500.00`, as every page and mail writes it; another currency, which only a mistake brings, by its name."""
    if paise is None:
        return NOTHING
    return f"₹{grouped_rupees(paise)}" if currency == "INR" else f"{grouped_rupees(paise)} {currency}"


def clock_time(at: datetime) -> str:
    """`18:30 IST`, in the practice's zone."""
    return _clock(at.astimezone(practice_zone()))


def day_and_time(at: datetime) -> str:
    """`Tuesday, 1 December 2026, 18:30 IST`, in the practice's zone; then on the reader's clock, if that is another."""
    local = at.astimezone(practice_zone())
    said = gettext("{day}, {time}").format(day=day_of_week(local.date()), time=_clock(local))
    return f"{said} ({theirs})" if (theirs := _on_their_clock(local)) else said


def day_of_week(on: date) -> str:
    """`Tuesday, 1 December 2026`."""
    names = {"weekday": gettext(_DAYS[on.weekday()]), "month": gettext(_MONTHS[on.month - 1])}
    return gettext("{weekday}, {day} {month} {year}").format(day=on.day, year=on.year, **names)


def _clock(local: datetime) -> str:
    return gettext("{time} {zone}").format(time=f"{local:%H:%M}", zone=pgettext("time zone", str(local.tzname())))


def _on_their_clock(local: datetime) -> str:
    zone = languages.reader_zone()
    if zone is None or (theirs := local.astimezone(zone)).utcoffset() == local.utcoffset():
        return ""
    time = _clock(theirs)
    if theirs.date() != local.date():
        time = gettext("{day}, {time}").format(day=day_of_week(theirs.date()), time=time)
    return gettext("where you are: {time}").format(time=time)


def time_or_day(at: datetime, *, now: datetime) -> str:
    """The time alone if it is today, else with its day."""
    is_today = at.astimezone(practice_zone()).date() == now.astimezone(practice_zone()).date()
    return clock_time(at) if is_today else day_and_time(at)


def iso(at: datetime | None) -> str | None:
    """For programs: ISO 8601 with the offset of the practice's zone."""
    return None if at is None else at.astimezone(practice_zone()).isoformat()


def span(length: timedelta) -> str:
    """`7 days`, `24 hours`, `an hour`, `90 minutes`: the largest unit, days only above one, that needs no fraction."""
    seconds = int(length.total_seconds())
    if seconds == 3600:
        return gettext("an hour")
    for unit, name in _UNITS:
        if seconds > unit and seconds % unit == 0:
            return gettext(name).format(number=seconds // unit)
    return gettext("{number} seconds").format(number=seconds)


_UNITS = (
    (86400, gettext_noop("{number} days")),
    (3600, gettext_noop("{number} hours")),
    (60, gettext_noop("{number} minutes")),
)


def support_lines() -> list[tuple[str, str]]:
    """The help lines as (name, number); a name of our own default can be translated."""
    return [(gettext(name), number) for name, _, number in (line.partition("=") for line in settings.SUPPORT_LINES)]


_OUR_LINES = (gettext_noop("Emergency"), gettext_noop("Tele-MANAS"))


def short_day_and_time(at: datetime | None) -> str:
    """`Tue 1 Dec 2026, 18:30 IST`, in the practice's zone."""
    if at is None:
        return NOTHING
    local = at.astimezone(practice_zone())
    return f"{short_day(local)}, {local:%H:%M %Z}"


def long_day(at: datetime) -> str:
    """`1 December 2026`, in the practice's zone."""
    local = at.astimezone(practice_zone())
    return gettext("{day} {month} {year}").format(
        day=local.day, month=gettext(_MONTHS[local.month - 1]), year=local.year
    )


def short_day(on: date) -> str:
    """`Tue 1 Dec 2026`."""
    return f"{on:%a} {on.day} {on:%b %Y}"


def short_span(length: timedelta) -> str:
    """The two largest units that matter, `3 d 4 h`, `4 h 10 min`, `10 min`, `40 s`."""
    seconds = int(length.total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
