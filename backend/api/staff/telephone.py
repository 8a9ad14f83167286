"""Whom mail does not reach: what they are to be told by telephone, that they were told, and that mail reaches them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.fields import IdField
from backend.api.public.requests import parse_request
from backend.api.schema import Operation, described
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.lists import page, requested, sparse
from backend.api.staff.records.shapes import Instant
from backend.api.staff.requests import NothingRequest
from backend.bookings import staff_queries
from backend.bookings.lifecycle.deliveries import mail_again
from backend.bookings.lifecycle.telephone import record_told
from backend.bookings.models import Booking
from backend.outbox.by_telephone import to_tell


class ToTellAnswer(serializers.Serializer[Any]):
    message_id = serializers.IntegerField(help_text="The last of those that were told is the `up_to` of told/.")
    acknowledgement_id = serializers.CharField()
    kind = serializers.CharField(help_text="What would have been mailed.")
    since = Instant()


class ToTellListAnswer(serializers.Serializer[Any]):
    to_tell = sparse(ToTellAnswer)(many=True)
    next = serializers.IntegerField(allow_null=True)


class ToldRequest(serializers.Serializer[Any]):
    up_to = IdField("Please give the number of the last message that was told.")


class DoneAnswer(serializers.Serializer[Any]):
    is_done = serializers.BooleanField(help_text="False: it was done before, or is no longer true.")


WantedRequest = requested(ToTellAnswer)


class TelephoneView(StaffView):
    """For those who decide about every booking."""

    area = Area.BOOKINGS

    def may_read(self) -> bool:
        return self.access.decides


@described(get=Operation("staff_to_tell", ToTellListAnswer, WantedRequest))
class ToTell(TelephoneView):
    """GET: notices to be told by telephone, the oldest first."""

    def get(self, request: Request) -> Response:
        given = parse_request(WantedRequest, request.query_params).validated_data
        rows, next_id = page(to_tell(now=timezone.now()), given["after"], given["limit"], order="pk")
        names = dict(
            Booking.objects.filter(pk__in=[row.booking_id for row in rows]).values_list("pk", "acknowledgement_id")
        )
        shown = [
            {
                "message_id": row.pk,
                "acknowledgement_id": names[row.booking_id or 0],
                "kind": row.kind,
                "since": Instant().to_representation(row.not_before),
            }
            for row in rows
        ]
        wanted = given["fields"]
        told = [{name: value for name, value in one.items() if wanted is None or name in wanted} for one in shown]
        return Response({"to_tell": told, "next": next_id})


@described(post=Operation("staff_told", DoneAnswer, ToldRequest))
class Told(TelephoneView):
    """POST: they were told all that waited, up to this message; what came since stays."""

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        up_to = parse_request(ToldRequest, request.data).validated_data["up_to"]
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings())
        told = record_told(booking_id, up_to=up_to, actor=request_actor(request), now=timezone.now())
        return Response({"is_done": bool(told)})


@described(post=Operation("staff_mail_again", DoneAnswer, NothingRequest))
class MailAgain(TelephoneView):
    """POST: the booking's address is right, so what comes next is mailed there."""

    def post(self, request: Request, acknowledgement_id: str) -> Response:
        parse_request(NothingRequest, request.data)
        booking_id = staff_queries.booking_id(acknowledgement_id, among=self.access.bookings())
        return Response({"is_done": mail_again(booking_id, actor=request_actor(request))})
