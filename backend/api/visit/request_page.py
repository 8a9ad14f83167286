"""`/visit/request/`: the form for a session, at a chosen time or one that is wished for; then "check your mail"."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.api.public import doors
from backend.api.visit import questions
from backend.api.visit.page import VisitPage, ask_again, attempt, led_to, show
from backend.bookings.models import Mode, PaymentMode, Period
from backend.core.formatting import practice_zone
from backend.people import intake
from backend.people.privacy_notice import IN_FORCE, translated
from backend.people.profiles import profiles
from backend.scheduling import chosen_slot
from backend.scheduling.chosen_slot import ChosenSlot

FIRST = {"country": intake.HOME, "mode": Mode.ONLINE.value, "payment_mode": PaymentMode.ONLINE.value}
END_OF_DAY = "23:59"  # a session past the practice's midnight: hours are of one day


class RequestPage(VisitPage):
    """What is typed goes through the shape of the API's `draft/`."""

    def get(self, request: HttpRequest) -> HttpResponse:
        typed = FIRST | {name: request.GET[name] for name in ("slot", "mode") if request.GET.get(name)}
        return show(request, "request", _asked(typed, now=timezone.now()))

    def post(self, request: HttpRequest) -> HttpResponse:
        typed, now = request.POST.dict(), timezone.now()
        refusals = attempt(lambda: doors.submit_draft(request, _draft(typed), now=now))
        return led_to("sent") if refusals is None else ask_again(request, "request", _asked(typed, now=now), refusals)


class SentPage(VisitPage):
    """`/visit/sent/`: what to do next. The same for every address."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return show(request, "sent", {"what": request.GET.get("what", "")})


def _draft(typed: dict[str, Any]) -> dict[str, Any]:
    """As the API's JSON has it."""
    sent = {
        **typed,
        "consent_given": typed.get("consent_given") == "yes",
        "calendar_entry": typed.get("no_calendar_entry") != "yes",
        "psychologist": typed.get("psychologist") or None,
    }
    if not sent.get("timezone"):  # known by a script alone
        sent.pop("timezone", None)
    chosen = chosen_slot.decode_slot(typed.get("slot", ""))
    return sent if chosen is None else sent | _wish(chosen)


def _wish(chosen: ChosenSlot) -> dict[str, Any]:
    """A slot as the form's own words: its day, and its hours on the practice's clock."""
    start = chosen.start.astimezone(practice_zone())
    end = start + chosen.length if chosen.length is not None else start
    return {
        "psychologist": chosen.psychologist_id,
        "preferred_slot_start": chosen.start.isoformat(),
        "preferred_date": start.date().isoformat(),
        "preferred_period": Period.CUSTOM.value,
        "preferred_time_start": f"{start:%H:%M}",
        "preferred_time_end": f"{end:%H:%M}" if end.date() == start.date() and end > start else END_OF_DAY,
    }


def _asked(typed: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    chosen, people = chosen_slot.decode_slot(typed.get("slot", "")), profiles()
    who = chosen.psychologist_id if chosen is not None else None
    return {
        "typed": typed,
        "chosen": chosen,
        "who": next((one.name for one in people if one.id == who), ""),
        "is_online": typed.get("mode") != Mode.OFFLINE,
        "people": people,
        "today": now.astimezone(practice_zone()).date(),
        "now": now,
        "about_you": questions.ABOUT_YOU,
        "last": [*questions.LAST, *filter(None, [questions.reminders()])],
        "where": questions.WHERE,
        "period": questions.PERIOD,
        "notice": translated(IN_FORCE),
        "times_query": urlencode({"mode": typed.get("mode", "")}),
    }
