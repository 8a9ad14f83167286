"""Where events are sent, through the API: subscriptions, their secrets and deliveries; see docs/webhooks.md."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.roles import Ability, has_any_permission
from backend.accounts.scopes import Area
from backend.api.fields import ChoiceField, LineField, WholeNumberField
from backend.api.public.requests import parse_request
from backend.api.responses import utc_iso
from backend.api.schema import MessageAnswer, Operation, described
from backend.api.staff.as_read import digest, if_match, refuse_other
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.lists import RowsRequest, page
from backend.api.words import WordField
from backend.core.outgoing import called_address
from backend.core.outgoing.called_address import AddressRefused
from backend.outbox.models import Message
from backend.webhooks import owing, subscriptions
from backend.webhooks.events import EventType
from backend.webhooks.models import Delivery, EndedWhy, Subscription

HOURS_MOST = int(subscriptions.OVERLAP_MOST / timedelta(hours=1))
_WHICH = "Please choose events such as booking.confirmed."


class SubscriptionRequest(serializers.Serializer[Any]):
    """A subscription as it is to be."""

    name = LineField("Please say whose server it is.", max_length=80)
    address = LineField("Please write the address as https://name/path.", max_length=called_address.LONGEST)
    events = serializers.ListField(
        child=ChoiceField(_WHICH, EventType, may_grow=True),
        min_length=1,
        max_length=len(EventType),
        error_messages=dict.fromkeys(("not_a_list", "min_length", "max_length", "null", "required"), _WHICH),
    )

    def validate_address(self, address: str) -> str:
        """Judged now, and again before each call."""
        try:
            called_address.check(address)
        except AddressRefused as error:
            raise serializers.ValidationError(str(error)) from error
        return address

    def validate_events(self, events: list[str]) -> list[str]:
        return sorted(set(events))


class RotateRequest(serializers.Serializer[Any]):
    hours = WholeNumberField(
        f"Please say for how many hours the secret before signs, too: {HOURS_MOST} at most.",
        least=0,
        most=HOURS_MOST,
        required=False,
        default=int(subscriptions.OVERLAP / timedelta(hours=1)),
    )


class SendAgainRequest(serializers.Serializer[Any]):
    webhook_id = serializers.UUIDField()


class SubscriptionAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    address = serializers.CharField()
    events = serializers.ListField(child=WordField(EventType, may_grow=True))
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_why = WordField(EndedWhy, or_empty=True)
    failing_since = serializers.DateTimeField(allow_null=True, help_text="The first event that it did not take.")


class WithSecretAnswer(SubscriptionAnswer):
    secret = serializers.CharField(help_text="Shown this once.")


class SubscriptionsAnswer(serializers.Serializer[Any]):
    subscriptions = SubscriptionAnswer(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="The `after` of the next page.")


class DeliveryAnswer(serializers.Serializer[Any]):
    webhook_id = serializers.UUIDField()
    type = WordField(EventType, may_grow=True)
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP's; null: there was no answer.")
    trouble = serializers.CharField(allow_blank=True)
    milliseconds = serializers.IntegerField()


class DeliveriesAnswer(serializers.Serializer[Any]):
    deliveries = DeliveryAnswer(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="The `after` of the next page.")


class WebhookView(StaffView):
    """For who may see subscriptions, and to act for who may change them."""

    area = Area.WEBHOOKS
    model = Subscription  # whose row the address names

    def may_read(self) -> bool:
        return has_any_permission(self.request.user, Ability.SEE_WEBHOOKS, Ability.MANAGE_WEBHOOKS)

    def may_act(self) -> bool:
        return has_any_permission(self.request.user, Ability.MANAGE_WEBHOOKS)


@described(
    get=Operation("staff_webhooks", SubscriptionsAnswer, RowsRequest),
    post=Operation("staff_webhook_create", WithSecretAnswer, SubscriptionRequest, 201),
)
class Webhooks(WebhookView):
    """GET: subscriptions, the newest first. POST: a new one, with its secret."""

    keeps_answers = False

    def get(self, request: Request) -> Response:
        asked = parse_request(RowsRequest, request.query_params).validated_data
        rows, more = page(Subscription.objects.all(), asked["after"], asked["limit"])
        return Response({"subscriptions": [_shown(row) for row in rows], "next": more})

    def post(self, request: Request) -> Response:
        given = parse_request(SubscriptionRequest, request.data).validated_data
        made, secret = subscriptions.subscribe(**given, by=request_actor(request), now=timezone.now())
        return _answer(made, status=201, secret=secret)


@described(
    get=Operation("staff_webhook", SubscriptionAnswer),
    post=Operation("staff_webhook_change", SubscriptionAnswer, SubscriptionRequest),
)
class Webhook(WebhookView):
    """GET: one subscription. POST: another name, address or events."""

    checks_tag = True

    def get(self, _request: Request, row_id: int) -> Response:
        return _answer(get_object_or_404(Subscription, pk=row_id))

    def post(self, request: Request, row_id: int) -> Response:
        get_object_or_404(subscriptions.live(), pk=row_id)
        given = parse_request(SubscriptionRequest, request.data).validated_data
        with transaction.atomic():
            return _answer(subscriptions.change(_as_read(request, row_id), **given))


@described(post=Operation("staff_webhook_rotate_secret", WithSecretAnswer, RotateRequest))
class RotateSecret(WebhookView):
    """POST: a new secret; the one before signs beside it for some hours."""

    keeps_answers = False
    checks_tag = True

    @transaction.atomic
    def post(self, request: Request, row_id: int) -> Response:
        hours = parse_request(RotateRequest, request.data).validated_data["hours"]
        row = _as_read(request, row_id)
        secret = subscriptions.rotate_secret(row, now=timezone.now(), overlap=timedelta(hours=hours))
        return _answer(row, secret=secret)


@described(post=Operation("staff_webhook_end", MessageAnswer))
class EndWebhook(WebhookView):
    """POST: nothing more is sent."""

    def post(self, _request: Request, row_id: int) -> Response:
        subscriptions.end(get_object_or_404(Subscription, pk=row_id), EndedWhy.BY_STAFF, now=timezone.now())
        return Response({"message": "Nothing more is sent there."})


@described(get=Operation("staff_webhook_deliveries", DeliveriesAnswer, RowsRequest))
class Deliveries(WebhookView):
    """GET: the attempts of a month, the newest first."""

    def get(self, request: Request, row_id: int) -> Response:
        row = get_object_or_404(Subscription, pk=row_id)
        asked = parse_request(RowsRequest, request.query_params).validated_data
        attempts = Delivery.objects.filter(subscription=row).select_related("message")
        rows, more = page(attempts, asked["after"], asked["limit"])
        return Response({"deliveries": [_delivery(one) for one in rows], "next": more})


@described(post=Operation("staff_webhook_send_again", MessageAnswer, SendAgainRequest))
class SendAgain(WebhookView):
    """POST: an event that was delivered or given up leaves once more, under the same id."""

    def post(self, request: Request, row_id: int) -> Response:
        which: UUID = parse_request(SendAgainRequest, request.data).validated_data["webhook_id"]
        row = get_object_or_404(subscriptions.live(), pk=row_id)
        message = get_object_or_404(Message, uuid=which, subject_id=row.pk, kind__startswith=owing.PREFIX)
        is_owed = owing.send_again(message.pk, now=timezone.now())
        return Response({"message": "It is sent again." if is_owed else "It is on its way already."})


def _as_read(request: Request, row_id: int) -> Subscription:
    """Locked until commit. Raises Http404 for one that has ended. Refuses: changed_since."""
    row: Subscription = get_object_or_404(subscriptions.live().select_for_update(), pk=row_id)
    refuse_other(if_match(request), _tag(row))
    return row


def _tag(row: Subscription) -> str:
    """Of what staff say of it and of its newest secret, not of how its server does."""
    newest = row.secrets.values_list("pk", flat=True).first()
    return digest((row.name, row.address, sorted(row.events), row.ended_at is None, newest))


def _answer(row: Subscription, *, status: int = 200, **more: str) -> Response:
    return Response({**_shown(row), **more}, status=status, headers={"ETag": _tag(row)})


def _shown(row: Subscription) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "address": row.address,
        "events": row.events,
        "created_at": utc_iso(row.created_at),
        "ended_at": utc_iso(row.ended_at),
        "ended_why": row.ended_why,
        "failing_since": utc_iso(row.failing_since),
    }


def _delivery(one: Delivery) -> dict[str, Any]:
    return {
        "webhook_id": str(one.message.uuid),
        "type": owing.type_of(one.message.kind),
        "at": utc_iso(one.at),
        "status": one.status,
        "trouble": one.trouble,
        "milliseconds": one.milliseconds,
    }
