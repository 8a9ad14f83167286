"""`/visit/times/`: when a session is free, by day and psychologist; or how to ask for another time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from backend.api import slots_by_day
from backend.api.public.requests import parse_request
from backend.api.public.slots import SlotsRequest
from backend.api.slots_by_day import SlotsByDay
from backend.api.visit.page import VisitPage, show
from backend.bookings.models import Mode
from backend.people.profiles import Profile, profiles
from backend.scheduling import chosen_slot
from backend.scheduling.free_slots import FreeSlot, free_slots


class TimesPage(VisitPage):
    """Nothing is held by being looked at."""

    def get(self, request: HttpRequest) -> HttpResponse:
        now, people = timezone.now(), profiles()
        wanted = _wanted(request.GET)
        found = slots_by_day.look(lambda start, end: _free(wanted, start, end, now=now), wanted["day"], now=now)
        context = {
            "now": now,
            "people": people,
            "modes": Mode.choices,
            "wanted": wanted,
            "week": found,
            "rest": urlencode({"mode": wanted["mode"], "psychologist": wanted["psychologist"]}),
            "times": _times(found, wanted["mode"], {one.id: one for one in people}),
        }
        return show(request, "times", context)


def _wanted(asked: QueryDict) -> dict[str, str]:
    """The answers of the form, empty where it asks for what nobody offers."""
    try:
        parse_request(SlotsRequest, {name: asked[name] for name in ("mode", "psychologist") if asked.get(name)})
    except ValidationError:
        return {"mode": Mode.ONLINE.value, "psychologist": "", "day": ""}
    psychologist, day = asked.get("psychologist", ""), asked.get("day", "")
    return {"mode": asked.get("mode") or Mode.ONLINE.value, "psychologist": psychologist, "day": day}


def _free(wanted: dict[str, str], start: datetime, end: datetime, *, now: datetime) -> list[FreeSlot]:
    """By the rules of the public list, which are one for every door."""
    asked = {"mode": wanted["mode"], "psychologist": wanted["psychologist"] or None}
    search = parse_request(SlotsRequest, asked).search()
    return free_slots(replace(search, start=start, end=end), now=now)


def _times(found: SlotsByDay, mode: str, people: dict[int, Profile]) -> list[dict[str, Any]]:
    return [
        {
            "start": slot.start,
            "who": people[slot.psychologist_id].name if slot.psychologist_id in people else "",
            "query": urlencode({"slot": chosen_slot.encode_slot(slot, with_length=True), "mode": mode}),
        }
        for slot in found.slots
    ]
