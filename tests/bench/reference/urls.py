"""Plain views: one serializer and one INSERT; one `get` and one serializer."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request as Asked
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.bench.reference.models import Request


class RequestShape(serializers.Serializer[Any]):
    acknowledgement_id = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    email = serializers.EmailField()
    full_name = serializers.CharField(max_length=120)
    phone_number = serializers.CharField(max_length=20)
    city = serializers.CharField(max_length=80)
    state = serializers.CharField(max_length=80)
    country = serializers.CharField(max_length=80)
    age = serializers.IntegerField(min_value=0, max_value=120)
    gender = serializers.ChoiceField(["MALE", "FEMALE", "OTHER", "PREFER_NOT_TO_SAY"])
    emergency_contact = serializers.CharField(max_length=120)
    consent_given = serializers.BooleanField()
    preferred_date = serializers.DateField()
    preferred_period = serializers.ChoiceField(["MORNING", "EVENING", "CUSTOM"])
    mode = serializers.ChoiceField(["ONLINE", "OFFLINE"])
    payment_mode = serializers.ChoiceField(["ONLINE", "OFFLINE"])


class Draft(APIView):
    def post(self, request: Asked) -> Response:
        form = RequestShape(data=request.data)
        form.is_valid(raise_exception=True)
        made = Request.objects.create(**form.validated_data)
        return Response({"acknowledgement_id": made.acknowledgement_id}, status=201)


class Status(APIView):
    def get(self, request: Asked) -> Response:
        wanted = request.query_params["acknowledgement_id"]
        return Response(RequestShape(Request.objects.get(acknowledgement_id=wanted)).data)


class Ping(APIView):
    def get(self, _request: Asked) -> Response:
        return Response({"status": "ok"})


urlpatterns = [
    path("draft/", Draft.as_view()),
    path("status/", Status.as_view()),
    path("api/ping/", Ping.as_view()),  # that it serves
]
