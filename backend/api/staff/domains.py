"""By which addresses a sponsor's people are known: its domains, replaced as a whole as its page does."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.fields import LineField
from backend.api.public.requests import parse_request
from backend.api.schema import Operation, described
from backend.api.staff.as_read import digest, if_match, refuse_other
from backend.api.staff.auth import StaffView
from backend.api.staff.below import Below, refuse_unseen
from backend.people import addresses
from backend.people.models import Corporate, SponsorDomain

DOMAINS_MOST = 100
_DOMAIN = "Please write each domain as in acme.example."


class DomainsRequest(serializers.Serializer[Any]):
    """What follows the @, never of a public mail service: everybody with an address there would be sponsored."""

    domains = serializers.ListField(
        child=LineField(_DOMAIN, max_length=253),
        max_length=DOMAINS_MOST,
        error_messages=dict.fromkeys(("not_a_list", "max_length", "null", "required"), _DOMAIN),
    )

    def validate_domains(self, domains: list[str]) -> list[str]:
        try:
            return sorted({addresses.canonical_domain(domain) for domain in domains})
        except ValueError as error:
            raise serializers.ValidationError(_DOMAIN) from error


class DomainsAnswer(serializers.Serializer[Any]):
    domains = serializers.ListField(child=serializers.CharField())


@described(
    get=Operation("staff_domains", DomainsAnswer), put=Operation("staff_replace_domains", DomainsAnswer, DomainsRequest)
)
class Domains(StaffView):
    """GET: the domains of the addresses of a sponsor's people. PUT: these and no others."""

    area = Area.PRACTICE
    model = Corporate
    checks_tag = True

    def may_read(self) -> bool:
        return admin.site._registry[Corporate].has_view_permission(self.request._request)

    def may_act(self) -> bool:
        return admin.site._registry[Corporate].has_change_permission(self.request._request)

    def get(self, request: Request, row_id: int) -> Response:
        whose = get_object_or_404(Corporate, pk=row_id)
        refuse_unseen(request, whose, SponsorDomain)
        return _answer(whose)

    @transaction.atomic
    def put(self, request: Request, row_id: int) -> Response:
        whose = get_object_or_404(Corporate, pk=row_id)
        stands = Below(request, whose, SponsorDomain, ("domain",))
        wanted = parse_request(DomainsRequest, request.data).validated_data["domains"]
        Corporate.objects.select_for_update().get(pk=whose.pk)
        refuse_other(if_match(request), _tag(whose))
        stands.replace([{"domain": domain} for domain in wanted], name="domains")
        return _answer(whose)


def _names(whose: Corporate) -> list[str]:
    return sorted(SponsorDomain.objects.filter(corporate=whose).values_list("domain", flat=True))


def _tag(whose: Corporate) -> str:
    return digest(_names(whose))


def _answer(whose: Corporate) -> Response:
    return Response({"domains": _names(whose)}, headers={"ETag": _tag(whose)})
