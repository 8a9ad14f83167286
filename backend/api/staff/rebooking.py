"""Sessions that cannot be held: somebody is away, or the practice is closed; and what becomes of each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api import errors
from backend.api.fields import ChoiceField, FlagField, IdField, InstantField, LineField
from backend.api.public.requests import parse_request
from backend.api.responses import slot_choices
from backend.api.schema import Operation, described
from backend.api.staff import responses
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.docs import BookingAnswer, FreeSlotAnswer, ManyAnswer
from backend.api.staff.hours import TimeOffRequest
from backend.api.staff.requests import NoteRequest
from backend.bookings import staff_queries
from backend.bookings.lifecycle import absence
from backend.bookings.lifecycle.absence import AbsenceDecision, DecisionResult
from backend.bookings.lifecycle.rescheduling import Move
from backend.bookings.models import Booking
from backend.people.models import Psychologist
from backend.scheduling.rebooking_options import RebookingOptions, closed_day_options, rebooking_options

MOST = 100  # decisions at once
_WHEN = "Please write the time with its offset, such as 2026-11-24T17:30:00+05:30."


class Fate(StrEnum):
    """What becomes of a session."""

    MOVE = "move"
    CANCEL = "cancel"
    CHOOSE = "choose"


class FateRequest(serializers.Serializer[Any]):
    """`move` needs `slot_start`; `choose` asks the visitor; `cancel` gives all back. It can be undone for a while."""

    acknowledgement_id = LineField("Please give the booking's acknowledgement id.", max_length=40)
    sequence = IdField("Please give the booking's sequence as it was read.", help_text="The number in its `ETag`.")
    fate = ChoiceField("Please choose what becomes of it.", Fate)
    slot_start = InstantField(_WHEN, required=False, allow_null=True, default=None)
    psychologist_id = IdField("Please choose a psychologist.", required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["fate"] == Fate.MOVE) != (attrs["slot_start"] is not None):
            raise serializers.ValidationError({"slot_start": "Please give it with move, and with nothing else."})
        return attrs


class DecisionsRequest(NoteRequest):
    """What is not named stays as it is. `preview` decides nothing."""

    decisions = FateRequest(many=True, max_length=MOST)  # type: ignore[call-arg]  # of its list
    preview = FlagField("Please say true to decide nothing.")

    def chosen(self, among: Any) -> list[AbsenceDecision]:
        """Refuses: booking_unknown, for one that is not theirs to decide about."""
        return [_decision(one, among) for one in self.validated_data["decisions"]]


class AbsenceRequest(DecisionsRequest, TimeOffRequest):
    """From when until when, and what becomes of the sessions in it."""


class InTheWayAnswer(serializers.Serializer[Any]):
    booking = BookingAnswer()
    sequence = serializers.IntegerField()
    same = FreeSlotAnswer(many=True, help_text="Other times of the same psychologist.")
    others = FreeSlotAnswer(many=True)


class InTheWayListAnswer(serializers.Serializer[Any]):
    in_the_way = InTheWayAnswer(many=True)


class SpanWanted(serializers.Serializer[Any]):
    start = InstantField(_WHEN)
    end = InstantField(_WHEN)


class Rebooking(StaffView):
    """For who decides about every booking."""

    area = Area.BOOKINGS

    def may_read(self) -> bool:
        return self.access.decides

    def told(self, found: list[RebookingOptions]) -> Response:
        """Each with other times, nearest first."""
        return Response({"in_the_way": [self._one(way) for way in found]})

    def _one(self, way: RebookingOptions) -> dict[str, Any]:
        shown = responses.summary(way.booking, self.access)
        slots = {"same": slot_choices(way.same), "others": slot_choices(way.others)}
        return {"booking": shown, "sequence": way.booking.ledger_sequence, **slots}

    def results(self, found: list[DecisionResult]) -> Response:
        """As of many decisions: one answer for each."""
        return Response({"items": [self._result(one) for one in found]})

    def _result(self, one: DecisionResult) -> dict[str, Any]:
        booking = Booking.objects.get(pk=one.booking_id)
        problem = errors.refusal(one.refused) if one.refused else errors.busy() if one.is_held else None
        return {
            "acknowledgement_id": booking.acknowledgement_id,
            "status": problem.status if problem else 200,
            "booking": None if problem else responses.summary(booking, self.access),
            "code": problem.code if problem else None,
            "detail": problem.detail if problem else None,
            "errors": problem.more.get("errors") if problem else None,
            "free_slots": problem.more.get("free_slots", []) if problem else [],
        }


@described(
    get=Operation("staff_in_the_way", InTheWayListAnswer, SpanWanted),
    post=Operation("staff_absence", ManyAnswer, AbsenceRequest),
)
class Away(Rebooking):
    """GET: sessions of the psychologist in a span. POST: they are away; each decision is its own transaction."""

    model = Psychologist
    is_one_transaction = False

    def may_read(self) -> bool:
        return self.access.records_absences

    def may_act(self) -> bool:
        return self.access.records_absences

    def get(self, request: Request, row_id: int) -> Response:
        span = parse_request(SpanWanted, request.query_params).validated_data
        whose, now = get_object_or_404(Psychologist, pk=row_id), timezone.now()
        return self.told(rebooking_options(whose.pk, span["start"], span["end"], now=now))

    def post(self, request: Request, row_id: int) -> Response:
        body, now = parse_request(AbsenceRequest, request.data), timezone.now()
        whose = get_object_or_404(Psychologist, pk=row_id)
        run = absence.preview_absence if body.validated_data["preview"] else absence.record_absence
        chosen, note = body.chosen(self.access.bookings()), body.validated_data["note_to_visitor"]
        actor = request_actor(request)
        return self.results(run(body.absence(whose.pk), chosen, note_to_visitor=note, actor=actor, now=now))


@described(
    get=Operation("staff_on_closed_days", InTheWayListAnswer),
    post=Operation("staff_decide_closed_days", ManyAnswer, DecisionsRequest),
)
class OnClosedDays(Rebooking):
    """GET: sessions on days that are closed, the soonest. POST: each decision is its own transaction."""

    is_one_transaction = False

    def get(self, _request: Request) -> Response:
        return self.told(closed_day_options(now=timezone.now()))

    def post(self, request: Request) -> Response:
        body, now = parse_request(DecisionsRequest, request.data), timezone.now()
        run = absence.preview_each if body.validated_data["preview"] else absence.decide_each
        chosen, note = body.chosen(self.access.bookings()), body.validated_data["note_to_visitor"]
        return self.results(run(chosen, note_to_visitor=note, actor=request_actor(request), now=now))


def _decision(given: dict[str, Any], among: Any) -> AbsenceDecision:
    booking_id = staff_queries.booking_id(given["acknowledgement_id"], among=among)
    start: datetime | None = given["slot_start"]
    move = None if start is None else Move(start, given["psychologist_id"])
    return AbsenceDecision(booking_id, given["sequence"], move, visitor_chooses=given["fate"] == Fate.CHOOSE)
