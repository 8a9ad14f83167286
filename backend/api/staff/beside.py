"""What hangs on one booking or client beside its own words: who read of them, documents, and the way into a room."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.roles import Ability, has_any_permission
from backend.accounts.scopes import Area
from backend.api.public.requests import parse_request
from backend.api.schema import Operation, described
from backend.api.staff.auth import StaffView
from backend.api.staff.records.shapes import Instant
from backend.api.staff.requests import NothingRequest
from backend.api.words import WordField
from backend.audit import readings
from backend.audit.readings import Reading
from backend.bookings import staff_queries
from backend.bookings.access import Scope
from backend.bookings.lifecycle import room_door
from backend.bookings.lifecycle.room_door import Stage
from backend.bookings.models import Booking
from backend.core import disclosures
from backend.payments import receipt_files, receipts
from backend.people.models import Client

READINGS_MOST = 1000  # the newest


class ReadingAnswer(serializers.Serializer[Any]):
    at = Instant()
    who = serializers.CharField()
    kind = serializers.CharField()
    page = serializers.CharField(allow_blank=True)
    what = serializers.ListField(child=serializers.CharField())
    correlation_id = serializers.CharField(allow_blank=True)


class ReadingsAnswer(serializers.Serializer[Any]):
    readings = ReadingAnswer(many=True)


class DocumentAnswer(serializers.Serializer[Any]):
    number = serializers.CharField()
    file_name = serializers.CharField()
    pdf = serializers.CharField(help_text="Base64.")


class RoomAnswer(serializers.Serializer[Any]):
    stage = WordField(Stage)
    opens_at = Instant(allow_null=True)
    address = serializers.CharField(allow_null=True, help_text="For who asked alone.")


class ReadersView(StaffView):
    """For those who see the access log."""

    area = Area.AUDIT

    def may_read(self) -> bool:
        return has_any_permission(self.access.user, Ability.SEE_ACCESS_LOG)

    @staticmethod
    def told(found: list[Reading]) -> Response:
        """Newest first."""
        return Response({"readings": [dict(ReadingAnswer().to_representation(one)) for one in found[:READINGS_MOST]]})


@described(get=Operation("staff_readers", ReadingsAnswer))
class BookingReaders(ReadersView):
    """GET: who read of this booking in the last year, the newest thousand."""

    def may_read(self) -> bool:
        return super().may_read() and self.access.sees_bookings

    def get(self, _request: Request, acknowledgement_id: str) -> Response:
        booking = staff_queries.booking(acknowledgement_id, among=self.access.bookings())
        return self.told(readings.of_booking(booking, since=readings.since(timezone.now())))


@described(get=Operation("staff_client_readers", ReadingsAnswer))
class ClientReaders(ReadersView):
    """GET: who read of this person in the last year, the newest thousand."""

    model = Client

    def may_read(self) -> bool:
        return super().may_read() and has_any_permission(self.access.user, Ability.SEE_CLIENTS)

    def get(self, _request: Request, row_id: int) -> Response:
        client = get_object_or_404(Client, pk=row_id)
        return self.told(readings.of_client(client, since=readings.since(timezone.now())))


@described(get=Operation("staff_receipt", DocumentAnswer))
class ReceiptDocument(StaffView):
    """GET: a receipt or credit note as it was issued, by the file's name without its ending: `MS-26-27-000123`."""

    area = Area.PAYMENTS

    def may_read(self) -> bool:
        return self.access.may_act_on_some(Scope.DESK)

    def get(self, _request: Request, acknowledgement_id: str, document: str) -> Response:
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings_to(Scope.DESK))
        issued = receipts.of_booking(booking_id)
        found = next((one for one in issued if receipt_files.file_name(one) == f"{document}.pdf"), None)
        content = None if found is None else receipt_files.content(found)
        if found is None or content is None:
            raise Http404
        disclosures.note_ids(Booking, [booking_id], "receipt")
        name = receipt_files.file_name(found)
        return Response({"number": found.number, "file_name": name, "pdf": b64encode(content).decode()})


@described(post=Operation("staff_room", RoomAnswer, NothingRequest))
class EnterRoom(StaffView):
    """POST: the way into the session's room, for the psychologist who gives it; nobody keeps this answer."""

    area = Area.BOOKINGS
    keeps_answers = False

    def may_act(self) -> bool:
        return self.access.psychologist_id is not None and self.access.sees_bookings

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        parse_request(NothingRequest, request.data)
        own, who = self.access.bookings(), self.access.psychologist_id
        booking_id = staff_queries.booking_id(acknowledgement_id, among=own)
        if not Booking.objects.filter(pk=booking_id, psychologist=who).exists():
            raise Http404
        door, address = room_door.enter_as_host(booking_id, psychologist_id=who, now=timezone.now())
        opens_at = Instant().to_representation(door.room.opens_at) if door.room else None
        return Response({"stage": door.stage, "opens_at": opens_at, "address": address or None})
