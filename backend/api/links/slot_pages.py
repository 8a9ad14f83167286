"""The mailed pages on which a visitor chooses a time: one that a rejection offered, or another for their session.

GET explains and changes nothing; without script a form of radio buttons chooses. A link that was used shows what came
of it, so that a second click meets the same page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.api.frame import render_page
from backend.api.links.pages import LinkPage
from backend.bookings import links, policy, refusals
from backend.bookings.lifecycle import alternatives, rescheduling
from backend.bookings.lifecycle.alternatives import OfferedTime, alternative_offers
from backend.bookings.machine import AWAITS_PAYMENT, State
from backend.bookings.models import Booking, Purpose
from backend.bookings.refund_policy import move_until, moves_left
from backend.core import formatting
from backend.core.errors import Code, Refused
from backend.core.formatting import practice_zone
from backend.people.models import Psychologist
from backend.scheduling import chosen_slot
from backend.scheduling.free_slots import FreeSlot

WEEK = timedelta(days=7)
NOT_FREE = (Code.SLOT_TAKEN, Code.SLOT_TOO_NEAR)  # nothing is wrong with the link: another time may do


class AlternativePage(LinkPage):
    """`/go/alternative/?token=`: one of the times that a rejection offered; the button takes it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _choice(request.GET.get("token", ""), now=timezone.now())

    def post(self, request: HttpRequest) -> HttpResponse:
        token, now = request.POST.get("token", ""), timezone.now()
        try:
            return _taken(alternatives.take_alternative(token, now=now))
        except Refused as refused:
            if refused.code not in NOT_FREE:
                raise
            return _choice(token, now=now, status=409)


def _choice(token: str, *, now: datetime, status: int = 200) -> HttpResponse:
    choice = alternative_offers(token, now=now)
    if choice.taken is not None:
        return _taken(choice.taken)
    rows = [_offered(offered) for offered in choice.offered]
    asked = next(row for row in rows if row["is_asked"])
    others = [row for row in rows if row["is_free"] and not row["is_asked"]]
    return render_page("alternative", {"asked": asked, "others": others, "was_lost": status != 200}, status=status)


def _offered(offered: OfferedTime) -> dict[str, Any]:
    alternative = offered.alternative
    return {
        "token": offered.token,
        "is_free": offered.is_free,
        "is_asked": offered.is_asked,
        "starts": formatting.day_and_time(alternative.slot_start),
        "ends_clock": formatting.clock_time(alternative.slot_end),
        "psychologist": alternative.psychologist.full_name,
        "amount": formatting.grouped_rupees(alternative.amount_paise),
        "is_online": alternative.booking.mode == "ONLINE",
    }


def _taken(booking: Booking) -> HttpResponse:
    return render_page("alternative_taken", _session(booking))


class ReschedulePage(LinkPage):
    """`/go/reschedule/?token=&week=`: what is offered week by week; the button moves the session."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _weeks(request.GET.get("token", ""), request.GET.get("week", ""), now=timezone.now())

    def post(self, request: HttpRequest) -> HttpResponse:
        token, now = request.POST.get("token", ""), timezone.now()
        chosen = chosen_slot.decode_slot(request.POST.get("slot", ""))
        if chosen is None:
            return _weeks(token, request.POST.get("week", ""), now=now, problem="Please choose a time.", status=400)
        try:
            choice = rescheduling.SlotChoice(chosen.psychologist_id, chosen.start)
            return _moved(rescheduling.reschedule_by_visitor(token, choice, now=now))
        except Refused as refused:
            if refused.code not in (*NOT_FREE, Code.MONTH_NOT_SPONSORED):
                raise
            sentence = refusals.sentence(refused.code, {})
            return _weeks(token, request.POST.get("week", ""), now=now, problem=sentence, status=409)


def _weeks(token: str, week: str, *, now: datetime, problem: str = "", status: int = 200) -> HttpResponse:
    """One week of what is offered. Refuses: as `rescheduling.refuse_unless_movable`."""
    link = links.find(token, Purpose.RESCHEDULE)
    booking = link.booking
    if link.spent_at is not None:
        return _moved(booking)
    rescheduling.refuse_unless_movable(booking, link, now=now)
    first = _monday(now)
    last = _monday(now + policy.BOOKING_HORIZON)
    monday = _asked_week(week, first, last)
    if monday is None:
        monday = first
        while monday < last and not _slots_of(booking, monday, now=now):
            monday += WEEK
    found = _slots_of(booking, monday, now=now)
    own = [slot for slot in found if slot.psychologist_id == booking.psychologist_id]
    others = [slot for slot in found if slot.psychologist_id != booking.psychologist_id]
    names = dict(
        Psychologist.objects.filter(pk__in={slot.psychologist_id for slot in found}).values_list("pk", "full_name")
    )
    context = {
        **_session(booking),
        "token": token,
        "problem": problem,
        "week": monday.isoformat(),
        "week_name": f"{_named(monday)} to {_named(monday + WEEK - timedelta(days=1))}",
        "before": (monday - WEEK).isoformat() if monday > first else "",
        "after": (monday + WEEK).isoformat() if monday < last else "",
        "own": _days(own, names),
        "others": _days(others, names),
        "move_until": formatting.day_and_time(ends_at) if (ends_at := move_until(booking)) else "",
        "moves_left": moves_left(booking),
        "choose_by": formatting.day_and_time(booking.choose_by) if booking.choose_by else "",
        "must_pay": booking.state != State.CONFIRMED,
    }
    return render_page("reschedule", context, status=status)


def _slots_of(booking: Booking, monday: date, *, now: datetime) -> list[FreeSlot]:
    start = datetime.combine(monday, time(), tzinfo=practice_zone()).astimezone(UTC)
    end = datetime.combine(monday + WEEK, time(), tzinfo=practice_zone()).astimezone(UTC)
    return rescheduling.slots_to_move_to(booking, start, end, now=now)


def _days(found: Iterable[FreeSlot], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """By day, each with its times: what a radio button sends, and what a person reads."""
    days: dict[str, list[dict[str, str]]] = {}
    for slot in found:
        local = slot.start.astimezone(practice_zone())
        row = {
            "value": chosen_slot.encode_slot(slot),
            "clock": formatting.clock_time(slot.start),
            "psychologist": names[slot.psychologist_id],
        }
        days.setdefault(f"{local:%A}, {_named(local)}", []).append(row)
    return [{"day": day, "times": times} for day, times in days.items()]


def _named(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _asked_week(week: str, first: date, last: date) -> date | None:
    """The Monday that was asked for, within what is offered at all."""
    try:
        monday = date.fromisoformat(week)
    except ValueError:
        return None
    return min(max(monday - timedelta(days=monday.weekday()), first), last)


def _monday(at: datetime) -> date:
    today = at.astimezone(practice_zone()).date()
    return today - timedelta(days=today.weekday())


def _moved(booking: Booking) -> HttpResponse:
    return render_page("moved", _session(booking))


def _session(booking: Booking) -> dict[str, Any]:
    """A booking as it is now."""
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "state": booking.state,
        "starts": formatting.day_and_time(booking.slot_start) if booking.slot_start else "",
        "ends_clock": formatting.clock_time(booking.slot_end) if booking.slot_end else "",
        "psychologist": booking.psychologist.full_name if booking.psychologist else "",
        "pay_by": formatting.day_and_time(booking.pay_by) if booking.pay_by else "",
        "is_held": booking.state in AWAITS_PAYMENT,
        "is_confirmed": booking.state == State.CONFIRMED,
    }
