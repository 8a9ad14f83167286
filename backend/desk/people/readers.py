"""Who read of a client, in whichever booking, in the last year."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from backend.accounts.roles import Ability, has_any_permission
from backend.audit.readings import of_client, since
from backend.desk import readings
from backend.desk.page import Page
from backend.people.models import Client


def readers(request: HttpRequest, client_id: int) -> HttpResponse:
    """For those who see clients and the access log."""
    if not has_any_permission(request.user, Ability.SEE_CLIENTS):
        raise Http404
    client = get_object_or_404(Client, pk=client_id)
    return readings.page(request, client, of_client(client, since=since(timezone.now())))


PAGE = Page("<int:client_id>/readers/", "people_client_readers", readings.may_see, readers)
