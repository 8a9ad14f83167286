"""A client who told us that they want to be erased: begun and stopped by who may, who proves their second factor."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import second_factor
from backend.accounts.roles import Ability, has_any_permission
from backend.accounts.scopes import Area
from backend.api.fields import LineField
from backend.api.public.requests import parse_request
from backend.api.schema import MessageAnswer, Operation, described
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.records.answers import DataRequestAnswer
from backend.bookings.lifecycle import erasure_requests
from backend.people.models import Client

_CODE = "Please give the code that your app shows now."


class ErasureRequest(serializers.Serializer[Any]):
    otp = LineField(_CODE, max_length=20)


@described(
    post=Operation("staff_erase", DataRequestAnswer, ErasureRequest, 201),
    delete=Operation("staff_stop_erasure", MessageAnswer),
)
class Erasure(StaffView):
    """POST: the client is erased on `due_at` of the answer, unless it is stopped. DELETE: stop it; everything stays.

    A token is no fresh proof of who asks, so the code of the second factor comes with it.
    """

    area = Area.CLIENTS
    keeps_answers = False
    model = Client

    def may_act(self) -> bool:
        return has_any_permission(self.access.user, Ability.ERASE_CLIENTS)

    def post(self, request: Request, row_id: int) -> Response:
        code = parse_request(ErasureRequest, request.data).validated_data["otp"]
        client = get_object_or_404(Client, pk=row_id)
        if not second_factor.check_code(cast(User, request.user), code):
            raise serializers.ValidationError({"otp": _CODE})
        asked = erasure_requests.record_erasure(client.pk, actor=request_actor(request), now=timezone.now())
        return Response(dict(DataRequestAnswer().to_representation(asked)), status=201)

    def delete(self, _request: Request, row_id: int) -> Response:
        erasure_requests.stop_recorded(get_object_or_404(Client, pk=row_id).pk, now=timezone.now())
        return Response({"message": "Stopped. Everything stays."})
