"""The calendar: its page, the two feeds that it loads as it is turned, and the day list for paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from backend.bookings.access import AccessPolicy
from backend.bookings.machine import HOLDS_SLOT, State
from backend.bookings.models import Booking, Mode, Outcome
from backend.core.formatting import NOTHING, money, practice_zone, short_day
from backend.core.row_ids import row_id
from backend.desk.booking.one_click import OUTCOMES, RECORD_OUTCOME, RECORD_PAYMENT
from backend.desk.display import meets_at
from backend.desk.navigation import local_instant, visible_bookings
from backend.desk.page import Page
from backend.people.models import Psychologist
from backend.scheduling import calendar_feed
from backend.scheduling.calendar_feed import CalendarFilter, Shade, ShadeKind

SPAN_MOST = timedelta(days=45)  # a month's page shows six weeks
VIEWS = ("resourceTimeGridDay", "timeGridDay", "timeGridWeek", "dayGridMonth", "listWeek")
# told apart without colour: a sign, and what it says; the style sheet adds a pattern of lines
SIGNS = {
    State.PENDING: "? wish, not held",
    State.APPROVED: "₹ held, to be paid",
    State.PAYMENT_PENDING: "… paying now",
    State.CONFIRMED: "✓ confirmed",
    State.COMPLETED: "■ over",
}


class Malformed(Exception):
    """A feed was asked for what no calendar page asks."""


def page(request: HttpRequest) -> HttpResponse:
    """The calendar with its filters; everything in it comes from the feeds."""
    now = timezone.now().astimezone(practice_zone())
    people = list(Psychologist.objects.filter(is_active=True).values_list("pk", "full_name"))
    chosen, decides = _ids(request.GET), AccessPolicy(request.user).decides
    options = {
        "psychologists": [{"id": pk, "title": name} for pk, name in people],
        "signs": SIGNS,
        "outcomes": {outcome: f"■ {outcome.label.lower()}" for outcome in Outcome},
        "modes": {mode: mode.label.lower() for mode in Mode},
        "clicks": _clicks(AccessPolicy(request.user)),
        "hours": calendar_feed.practice_hours(),
        "movable": HOLDS_SLOT if decides else (),
        "zone": f"{now:%z}"[:3] + ":" + f"{now:%z}"[3:],
        "today": f"{now:%Y-%m-%d}",
        "sessions": reverse("desk:sessions"),
        "shades": reverse("desk:shades"),
        "booking": reverse("admin:bookings_booking_changelist"),
        "create": reverse("admin:bookings_booking_new") if decides else "",
        "busy": reverse("desk:busy") if AccessPolicy(request.user).keeps_time_of().exists() else "",
    }
    context = {
        **admin.site.each_context(request),
        "title": "Calendar",
        "options": options,
        "people": [(pk, name, pk in chosen) for pk, name in people],
        "states": [(state, SIGNS[state], state in request.GET.getlist("state")) for state in SIGNS],
        "modes": [(mode, mode.label, mode == request.GET.get("mode")) for mode in Mode],
        "zone": f"{now:%Z}",
    }
    return TemplateResponse(request, "admin/desk/calendar.html", context)


def sessions(request: HttpRequest) -> HttpResponse:
    """The sessions and wishes in view: plain rows in the order of `CalendarSession`, as a month has thousands.

    Of a month that has too many to be seen, how many each day has.
    """
    try:
        shown = _shown(request.GET)
    except Malformed as malformed:
        return JsonResponse({"detail": str(malformed)}, status=400)
    seen = visible_bookings(AccessPolicy(request.user))
    if days := calendar_feed.day_sums(seen, shown):
        return JsonResponse({"days": days})
    return JsonResponse(calendar_feed.sessions(seen, shown, now=timezone.now()), safe=False)


def shades(request: HttpRequest) -> HttpResponse:
    """When nobody works, of each psychologist (`columns=1`) or of all together."""
    try:
        shown = _shown(request.GET)
    except Malformed as malformed:
        return JsonResponse({"detail": str(malformed)}, status=400)
    rows = calendar_feed.shades(shown, by_psychologist=request.GET.get("columns") == "1")
    local = calendar_feed.wall_clock()
    return JsonResponse([_background(row, local) for row in rows], safe=False)


def day_list(request: HttpRequest) -> HttpResponse:
    """One day on paper, a sheet a psychologist."""
    today = timezone.now().astimezone(practice_zone()).date()
    try:
        on = date.fromisoformat(request.GET.get("date", "")) if request.GET.get("date") else today
        start, end = (datetime.combine(at, time(), practice_zone()) for at in (on, on + timedelta(days=1)))
    except (ValueError, OverflowError):
        raise Http404 from None
    access = AccessPolicy(request.user)
    found = calendar_feed.day_list(visible_bookings(access), CalendarFilter(start, end, _ids(request.GET)))
    chosen = request.GET.get("psychologist", "")
    context = {
        **admin.site.each_context(request),
        "title": f"Sessions of {short_day(on)}",
        "on": on.isoformat(),
        "zone": f"{start:%Z}",
        "sheets": [(who, [_on_paper(access, booking) for booking in bookings]) for who, bookings in found],
        "people": [
            (pk, name, str(pk) == chosen)
            for pk, name in Psychologist.objects.filter(is_active=True).values_list("pk", "full_name")
        ],
        "before": (on - timedelta(days=1)).isoformat(),
        "after": (on + timedelta(days=1)).isoformat(),
        "chosen": chosen,
    }
    return TemplateResponse(request, "admin/desk/day.html", context)


def _on_paper(access: AccessPolicy, booking: Booking) -> tuple[Booking, str, str, str]:
    """The booking, its telephone number as the account sees it, where it meets online, and what is still to be paid."""
    owed_paise = getattr(booking, "owed_paise", 0)
    return booking, access.phone(booking), meets_at(booking), money(owed_paise) if owed_paise else NOTHING


def _clicks(access: AccessPolicy) -> dict[str, object]:
    """What a click on a session's buttons records, for who may."""
    outcomes = OUTCOMES if access.may_act_on_some(RECORD_OUTCOME.scope) else {}
    takes_money = access.may_act_on_some(RECORD_PAYMENT.scope)
    return {
        "outcomes": [[RECORD_OUTCOME.name, outcome, label] for outcome, label in outcomes.items()],
        "payment": RECORD_PAYMENT.name if takes_money else "",
    }


# -- details -----------------------------------------------------------------------------------------------------------


def _ids(query: QueryDict) -> tuple[int, ...]:
    return tuple(filter(None, map(row_id, query.getlist("psychologist"))))[:100]


def _shown(query: QueryDict) -> CalendarFilter:
    start, end = local_instant(query.get("start", "")), local_instant(query.get("end", ""))
    if start is None or end is None or not timedelta(0) < end - start <= SPAN_MOST:
        raise Malformed(f"Give a start and an end, at most {SPAN_MOST.days} days apart.")
    return CalendarFilter(start, end, _ids(query), tuple(query.getlist("state")), query.get("mode", ""))


def _background(row: Shade, local: Callable[[datetime], str]) -> dict[str, Any]:
    event: dict[str, Any] = {
        "start": local(row.start),
        "end": local(row.end),
        "title": f"{row.kind.capitalize()}{': ' + row.note if row.note else ''}"
        if row.kind != ShadeKind.OUTSIDE
        else "",
        "display": "background",
        "classNames": [f"desk-b-{row.kind.name.lower()}"],
    }
    if row.psychologist_id is not None:
        event["resourceIds"] = [row.psychologist_id]
    return event


def _may_open(access: AccessPolicy) -> bool:
    return access.sees_bookings


PAGES = [
    Page("calendar/", "calendar", _may_open, page),
    Page("calendar/sessions/", "sessions", _may_open, sessions),
    Page("calendar/shades/", "shades", _may_open, shades),
    Page("calendar/day/", "day", _may_open, day_list),
]
