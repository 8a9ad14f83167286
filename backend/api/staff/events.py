"""What happened to all bookings, in order, for programs that keep a copy: a cursor over the ledger."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.fields import WholeNumberField
from backend.api.public.requests import parse_request
from backend.api.responses import utc_iso
from backend.api.schema import Operation, described
from backend.api.staff.auth import StaffView
from backend.api.words import WordField
from backend.bookings import ledger_feed
from backend.bookings.machine import State
from backend.bookings.models import LedgerEntry

MOST = 500


class EventsRequest(serializers.Serializer[Any]):
    """Which part of the ledger."""

    after = WholeNumberField(
        "Please give the `next` of the page before.", least=0, most=2**63 - 1, required=False, default=0
    )
    limit = WholeNumberField(f"Please ask for at most {MOST} events.", least=1, most=MOST, required=False, default=100)


class EventAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="Grows; numbers may be missing.")
    at = serializers.DateTimeField()
    acknowledgement_id = serializers.CharField()
    sequence = serializers.IntegerField(help_text="Of the booking, from 1, without gaps.")
    intent = serializers.CharField(help_text="Stable, snake_case; new ones may come.")
    state_before = WordField(State, or_empty=True, help_text="Empty: it began with this.")
    state = WordField(State)
    reason = serializers.CharField(allow_blank=True)
    actor = serializers.CharField()


class EventsAnswer(serializers.Serializer[Any]):
    events = EventAnswer(many=True)
    next = serializers.IntegerField(help_text="The `after` of the next request, also when nothing is new.")


@described(get=Operation("staff_events", EventsAnswer, EventsRequest))
class Events(StaffView):
    """GET: what happened behind `after`, oldest first. What is not certain yet comes with the next page."""

    area = Area.BOOKINGS

    def may_read(self) -> bool:
        return self.access.sees_all

    def get(self, request: Request) -> Response:
        asked = parse_request(EventsRequest, request.query_params).validated_data
        rows = ledger_feed.rows_after(asked["after"], limit=asked["limit"])
        return Response({"events": [_shown(row) for row in rows], "next": rows[-1].pk if rows else asked["after"]})


def _shown(row: LedgerEntry) -> dict[str, Any]:
    return {
        "id": row.pk,
        "at": utc_iso(row.at),
        "acknowledgement_id": row.booking.acknowledgement_id,
        "sequence": row.sequence,
        "intent": row.intent,
        "state_before": row.source,
        "state": row.target,
        "reason": row.reason,
        "actor": row.actor,
    }
