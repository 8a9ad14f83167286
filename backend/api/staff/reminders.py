"""By which way a visitor is reminded: as it stands, and as they told staff."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.fields import ChoiceField
from backend.api.public.requests import parse_request
from backend.api.schema import Operation, described
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.records.shapes import Instant
from backend.api.words import WordField
from backend.bookings import staff_queries
from backend.bookings.access import Scope
from backend.bookings.lifecycle.reminder_choice import record_reminders
from backend.channels import adapters, consents
from backend.channels.models import Purpose
from backend.channels.names import ReminderWay


class RemindersRequest(serializers.Serializer[Any]):
    reminders_by = ChoiceField("Please choose one of the ways in which we remind.", ReminderWay, may_grow=True)


class RemindersAnswer(serializers.Serializer[Any]):
    reminders_by = WordField(ReminderWay, may_grow=True)
    given_at = Instant(allow_null=True, help_text="The consent to a channel; mail needs none.")
    given_by = serializers.CharField(allow_blank=True, help_text="`visitor`, or who of staff was told.")
    ways = serializers.ListField(child=WordField(ReminderWay, may_grow=True), help_text="What may be chosen.")


@described(
    get=Operation("staff_read_reminders", RemindersAnswer),
    post=Operation("staff_reminders", RemindersAnswer, RemindersRequest),
)
class Reminders(StaffView):
    """GET: how this booking's visitor is reminded, of all their sessions. POST: as they said; ask them first."""

    area = Area.BOOKINGS

    def may_read(self) -> bool:
        return self.access.may_act_on_some(Scope.DESK)

    def may_act(self) -> bool:
        return self.access.may_act_on_some(Scope.DESK)

    def get(self, _request: Request, acknowledgement_id: str) -> Response:
        return self._answer(self._booking_id(acknowledgement_id))

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        way = parse_request(RemindersRequest, request.data).validated_data["reminders_by"]
        booking_id = self._booking_id(acknowledgement_id)
        record_reminders(booking_id, way, actor=request_actor(request), now=timezone.now())
        return self._answer(booking_id)

    def _booking_id(self, acknowledgement_id: str) -> int:
        """Refuses: booking_unknown."""
        return staff_queries.booking_id(acknowledgement_id, among=self.access.bookings_to(Scope.DESK))

    def _answer(self, booking_id: int) -> Response:
        stands = consents.of_booking(booking_id, Purpose.REMINDERS)
        return Response(
            {
                "reminders_by": stands.channel if stands is not None else ReminderWay.EMAIL,
                "given_at": Instant().to_representation(stands.given_at) if stands is not None else None,
                "given_by": stands.given_by if stands is not None else "",
                "ways": adapters.ways(),
            }
        )
