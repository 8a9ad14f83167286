"""Money for the accountant's programs: sums and differences of any days, and each movement of money."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.fields import LineField
from backend.api.public.requests import parse_request
from backend.api.responses import utc_iso
from backend.api.schema import Operation, described
from backend.api.staff.fields import NamesField
from backend.api.staff.lists import chosen, limited, sparse
from backend.api.staff.records.shapes import Instant, text
from backend.api.staff.reports import ReportView, SpanRequest
from backend.api.words import WordField
from backend.bookings.models import Booking
from backend.core import disclosures
from backend.core.disclosures import Act
from backend.reports.accounts import (
    Compared,
    Movement,
    Verdict,
    came_and_went,
    movements,
    movements_behind,
    statement,
)

DIFFERENCES_MOST = 200  # of one answer, as on the page
LEADS_TO_BOOKING = {"acknowledgement_id", "reference", "gateway_id", "receipt_number", "note"}
_AFTER = "Please give the `next` of the page before."


class DifferenceAnswer(serializers.Serializer[Any]):
    """An item on which the gateway and we do not agree; what is null is missing on that side."""

    result = WordField(Verdict)
    kind = serializers.CharField(help_text="payment or refund, or what the gateway calls it.")
    gateway = serializers.CharField()
    gateway_id = serializers.CharField()
    acknowledgement_id = serializers.CharField(allow_null=True)
    reference = serializers.CharField(allow_null=True)
    ours_paise = serializers.IntegerField(allow_null=True)
    gateways_paise = serializers.IntegerField(allow_null=True)
    settlement_id = serializers.CharField(allow_null=True)
    settled_at = Instant(allow_null=True)


class AccountsAnswer(serializers.Serializer[Any]):
    """Money on the day on which it moved; what a gateway paid out on the day on which it did."""

    first = serializers.DateField()
    last = serializers.DateField()
    came_paise = serializers.IntegerField()
    went_back_paise = serializers.IntegerField()
    paid_out_paise = serializers.IntegerField(help_text="By gateways, before their fees.")
    ours_paise = serializers.IntegerField(help_text="The same items, as they stand here.")
    fees_paise = serializers.IntegerField(help_text="With their tax.")
    tax_of_fees_paise = serializers.IntegerField()
    reached_the_bank_paise = serializers.IntegerField()
    differences = DifferenceAnswer(many=True, help_text=f"The first {DIFFERENCES_MOST}.")
    differences_in_all = serializers.IntegerField()


class MovementAnswer(serializers.Serializer[Any]):
    """A sum that came, or, below zero, went back; with the gateway's line where it paid it out."""

    at = Instant()
    acknowledgement_id = serializers.CharField()
    kind = serializers.CharField(help_text="payment or refund")
    method = text()
    gateway = text(help_text="Empty: at the practice.")
    reference = serializers.CharField()
    gateway_id = text()
    receipt_number = text()
    paise = serializers.IntegerField()
    currency = text()
    fee_paise = serializers.IntegerField(allow_null=True, help_text="With its tax.")
    tax_of_fee_paise = serializers.IntegerField(allow_null=True)
    settlement_id = serializers.CharField(allow_null=True)
    settled_at = Instant(allow_null=True)
    bank_reference = serializers.CharField(allow_null=True)
    note = text()


class MovementsAnswer(serializers.Serializer[Any]):
    movements = sparse(MovementAnswer)(many=True)
    next = serializers.CharField(allow_null=True, help_text="The `after` of the next page; null on the last.")


class MovementsRequest(SpanRequest):
    limit = limited()
    after = LineField(_AFTER, max_length=40, required=False, allow_blank=True, default="")
    fields = NamesField(list(MovementAnswer().fields))  # type: ignore[assignment]  # hides Serializer.fields, on purpose


class MoneyView(ReportView):
    """It names bookings, so no scope of sums opens it."""

    area = Area.PAYMENTS


@described(get=Operation("staff_accounts", AccountsAnswer, SpanRequest))
class Accounts(MoneyView):
    """GET: the sums of any days, and on which items the gateways and we do not agree."""

    def get(self, request: Request) -> Response:
        asked = parse_request(SpanRequest, request.query_params)
        found = statement(*asked.instants(), now=timezone.now())
        came, went = came_and_went(movements(*asked.instants()))
        return Response(
            {
                **asked.days(),
                "came_paise": came,
                "went_back_paise": went,
                "paid_out_paise": found.theirs_paise,
                "ours_paise": found.ours_paise,
                "fees_paise": found.fee_paise,
                "tax_of_fees_paise": found.tax_paise,
                "reached_the_bank_paise": found.theirs_paise - found.fee_paise,
                "differences": [_difference(item) for item in found.differences[:DIFFERENCES_MOST]],
                "differences_in_all": len(found.differences),
            }
        )


def _difference(item: Compared) -> dict[str, Any]:
    ours, theirs = item.ours, item.theirs
    return {
        "result": item.verdict.value,
        "kind": theirs.kind if theirs else ours.what if ours else "",
        "gateway": theirs.gateway if theirs else ours.gateway if ours else "",
        "gateway_id": theirs.gateway_id if theirs else ours.gateway_id if ours else "",
        "acknowledgement_id": ours.booking if ours else None,
        "reference": ours.reference if ours else theirs.reference or None if theirs else None,
        "ours_paise": ours.paise if ours else None,
        "gateways_paise": theirs.amount_paise if theirs else None,
        "settlement_id": theirs.settlement_id if theirs else None,
        "settled_at": utc_iso(theirs.settled_at) if theirs else None,
    }


@described(get=Operation("staff_movements", MovementsAnswer, MovementsRequest))
class Movements(MoneyView):
    """GET: each sum that came or went back, the oldest first. That you took them away is recorded for each booking."""

    def get(self, request: Request) -> Response:
        asked = parse_request(MovementsRequest, request.query_params)
        given = asked.validated_data
        try:
            found = movements_behind(*asked.instants(), after=given["after"], limit=given["limit"] + 1)
        except LookupError as error:
            raise serializers.ValidationError({"after": _AFTER}) from error
        rows = found[: given["limit"]]
        if given["fields"] is None or given["fields"] & LEADS_TO_BOOKING:
            disclosures.note_act(Act.EXPORTED, Booking, {one.booking_id for one in rows})
        shown = [chosen(_movement(one), given["fields"]) for one in rows]
        return Response({"movements": shown, "next": rows[-1].reference if len(found) > len(rows) else None})


def _movement(one: Movement) -> dict[str, Any]:
    line = one.settled
    return {
        "at": utc_iso(one.at),
        "acknowledgement_id": one.booking,
        "kind": one.what,
        "method": one.method,
        "gateway": one.gateway,
        "reference": one.reference,
        "gateway_id": one.gateway_id,
        "receipt_number": one.receipt,
        "paise": one.paise,
        "currency": one.currency,
        "fee_paise": line.fee_paise if line else one.fee_paise,
        "tax_of_fee_paise": line.tax_paise if line else one.tax_paise,
        "settlement_id": line.settlement_id if line else None,
        "settled_at": utc_iso(line.settled_at) if line else None,
        "bank_reference": line.bank_reference if line else None,
        "note": one.note,
    }
