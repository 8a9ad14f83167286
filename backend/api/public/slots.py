"""The public lists to choose from: who gives sessions, and when one is free."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.conditional import unless_known
from backend.api.fields import ChoiceField, DayField, IdField, LineField
from backend.api.public.requests import parse_request
from backend.api.responses import local_iso
from backend.api.schema import Operation, described
from backend.api.words import WordField
from backend.bookings import policy
from backend.bookings.models import Mode
from backend.core.formatting import practice_zone
from backend.people.profiles import modes_of, profiles
from backend.scheduling.free_slots import FreeSlot, SlotSearch, free_slots

WEEK = timedelta(days=7)  # what is told when nobody says until when
DAY = timedelta(days=1)
OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True, "default": None}
MAYBE_EMPTY: dict[str, Any] = {"required": False, "allow_blank": True, "default": ""}


class DaysRequest(serializers.Serializer[Any]):
    """Days of the practice's zone, both included; without them the next week."""

    to = DayField("Please write the last day as YYYY-MM-DD.", **OPTIONAL)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's own."""
        return {"from": DayField("Please write the first day as YYYY-MM-DD.", **OPTIONAL), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """At most SLOTS_LONGEST_LIST at once, and nothing that is years away."""
        today = timezone.now().astimezone(practice_zone()).date()
        first: date = attrs["from"] or today
        if abs(first - today) > policy.SLOT_HORIZON:
            raise serializers.ValidationError({"from": gettext("Please choose a first day within a year.")})
        last: date = attrs["to"] or first + WEEK - DAY
        if not timedelta(0) <= last - first < policy.SLOTS_LONGEST_LIST:
            most = policy.SLOTS_LONGEST_LIST.days
            asks = gettext("Please choose a last day that is not before the first, {most} days at most in all.")
            raise serializers.ValidationError({"to": asks.format(most=most)})
        return {**attrs, "from": first, "to": last}

    def span(self) -> tuple[datetime, datetime]:
        """`[start, end)`."""
        given, midnight = self.validated_data, time(tzinfo=practice_zone())
        return datetime.combine(given["from"], midnight), datetime.combine(given["to"] + DAY, midnight)


class SlotsRequest(DaysRequest):
    """What is left out does not narrow."""

    mode = ChoiceField("Please choose ONLINE or OFFLINE.", Mode, required=False, default="")
    psychologist = IdField("Please give the psychologist's id.", **OPTIONAL)
    specialization = LineField("Please write the specialization as text.", max_length=80, **MAYBE_EMPTY)
    language = LineField("Please write the language as text.", max_length=40, **MAYBE_EMPTY)

    def search(self) -> SlotSearch:
        """What is looked for."""
        given = self.validated_data
        return SlotSearch(
            *self.span(),
            mode=given["mode"],
            psychologist_ids=(given["psychologist"],) if given["psychologist"] else (),
            specialization=given["specialization"],
            language=given["language"],
        )


class SlotAnswer(serializers.Serializer[Any]):
    psychologist = serializers.IntegerField(help_text="The id, as in psychologists/.")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    modes = serializers.ListField(child=WordField(Mode))


class SlotsAnswer(serializers.Serializer[Any]):
    """Free as of now; none is held by being listed, or by being wished for in a draft."""

    time_zone = serializers.CharField(help_text="Whose days were asked for, and whose offset the times have.")
    slots = SlotAnswer(many=True)


class ProfileAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    registration_number = serializers.CharField(allow_blank=True)
    specializations = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    modes = serializers.ListField(child=WordField(Mode))


class ProfilesAnswer(serializers.Serializer[Any]):
    psychologists = ProfileAnswer(many=True)


@described(get=Operation("slots", SlotsAnswer, SlotsRequest))
class Slots(APIView):
    """GET: free slots, by start. Who asks again with the answer's ETag is told when nothing changed."""

    def get(self, request: Request) -> Response:
        search = parse_request(SlotsRequest, request.query_params).search()
        found = free_slots(search, now=timezone.now())
        return unless_known(request, listed(found))


@described(get=Operation("psychologists", ProfilesAnswer))
class Psychologists(APIView):
    """GET: who gives sessions."""

    def get(self, request: Request) -> Response:
        return unless_known(request, {"psychologists": [asdict(profile) for profile in profiles()]})


def listed(found: list[FreeSlot]) -> dict[str, Any]:
    """As JSON, in the practice's zone."""
    zone = practice_zone()
    return {"time_zone": zone.key, "slots": [_shown(slot, zone) for slot in found]}


def _shown(slot: FreeSlot, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "psychologist": slot.psychologist_id,
        "start": local_iso(slot.start, zone),
        "end": local_iso(slot.end, zone),
        "modes": modes_of(slot.offers),
    }
