"""The mailed pages on which a visitor chooses a time: one that a rejection offered, or another for their session.

GET explains and changes nothing; without script a form of radio buttons chooses. A link that was used shows what came
of it, so that a second click meets the same page.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.api import slots_by_day
from backend.api.frame import render_page
from backend.api.links.pages import LinkPage
from backend.api.slots_by_day import SlotsByDay
from backend.api.templatetags.instants import moment
from backend.bookings import links, refusals
from backend.bookings.lifecycle import alternatives, rescheduling
from backend.bookings.lifecycle.alternatives import OfferedTime, alternative_offers
from backend.bookings.machine import AWAITS_PAYMENT, State
from backend.bookings.models import Booking, Purpose
from backend.bookings.refund_policy import move_until, moves_left
from backend.core import formatting
from backend.core.errors import Code, Refused
from backend.people.models import Psychologist
from backend.scheduling import chosen_slot
from backend.scheduling.free_slots import FreeSlot

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
        "starts": moment(alternative.slot_start),
        "ends_clock": formatting.clock_time(alternative.slot_end),
        "psychologist": alternative.psychologist.full_name,
        "amount": formatting.grouped_rupees(alternative.amount_paise),
        "is_online": alternative.booking.mode == "ONLINE",
    }


def _taken(booking: Booking) -> HttpResponse:
    return render_page("alternative_taken", _session(booking))


class ReschedulePage(LinkPage):
    """`/go/reschedule/?token=&day=`: what is offered, a day at a time; the button moves the session."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _offers(request.GET.get("token", ""), request.GET.get("day", ""), now=timezone.now())

    def post(self, request: HttpRequest) -> HttpResponse:
        token, day, now = request.POST.get("token", ""), request.POST.get("day", ""), timezone.now()
        chosen = chosen_slot.decode_slot(request.POST.get("slot", ""))
        if chosen is None:
            return _offers(token, day, now=now, problem=_("Please choose a time."), status=400)
        try:
            choice = rescheduling.SlotChoice(chosen.psychologist_id, chosen.start)
            return _moved(rescheduling.reschedule_by_visitor(token, choice, now=now))
        except Refused as refused:
            if refused.code not in (*NOT_FREE, Code.MONTH_NOT_SPONSORED):
                raise
            return _offers(token, day, now=now, problem=refusals.sentence(refused.code, {}), status=409)


def _offers(token: str, day: str, *, now: datetime, problem: str = "", status: int = 200) -> HttpResponse:
    """One day of what is offered. Refuses: as `rescheduling.refuse_unless_movable`."""
    link = links.find(token, Purpose.RESCHEDULE)
    booking = link.booking
    if link.spent_at is not None:
        return _moved(booking)
    rescheduling.refuse_unless_movable(booking, link, now=now)
    week = slots_by_day.look(partial(rescheduling.slots_to_move_to, booking, now=now), day, now=now)
    context = {
        **_session(booking),
        "token": token,
        "problem": problem,
        "week": week,
        "here": "./",
        "rest": urlencode({"token": token}),
        "now": now,
        "own": [_time(slot) for slot in week.slots if slot.psychologist_id == booking.psychologist_id],
        "others": _by_others(booking, week),
        "move_until": move_until(booking),
        "moves_left": moves_left(booking),
        "choose_by": booking.choose_by,
        "must_pay": booking.state != State.CONFIRMED,
    }
    return render_page("reschedule", context, status=status)


def _time(slot: FreeSlot) -> dict[str, Any]:
    """What a radio button sends, and what a person reads."""
    return {"value": chosen_slot.encode_slot(slot), "start": slot.start}


def _by_others(booking: Booking, week: SlotsByDay) -> list[tuple[str, list[dict[str, Any]]]]:
    """By psychologist, their name with their times."""
    found: dict[int, list[dict[str, Any]]] = {}
    for slot in week.slots:
        if slot.psychologist_id != booking.psychologist_id:
            found.setdefault(slot.psychologist_id, []).append(_time(slot))
    people = Psychologist.objects.filter(pk__in=found).order_by("full_name", "pk").values_list("pk", "full_name")
    return [(name, found[pk]) for pk, name in people] if found else []


def _moved(booking: Booking) -> HttpResponse:
    return render_page("moved", _session(booking))


def _session(booking: Booking) -> dict[str, Any]:
    """A booking as it is now."""
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "state": booking.state,
        "starts": moment(booking.slot_start) if booking.slot_start else "",
        "ends_clock": formatting.clock_time(booking.slot_end) if booking.slot_end else "",
        "psychologist": booking.psychologist.full_name if booking.psychologist else "",
        "pay_by": moment(booking.pay_by) if booking.pay_by else "",
        "is_held": booking.state in AWAITS_PAYMENT,
        "is_confirmed": booking.state == State.CONFIRMED,
    }
